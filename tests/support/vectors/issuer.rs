//! Issuer and tenant: exact, of one cloud, and each profile with its own keys

use entra_access_core::identity::PrincipalKind;
use serde_json::json;

use super::{accept, accept_claims, refuse, refuse_claims};
use crate::support::{
    claims::{CONSUMERS, Claims, FOREIGN, TENANT, user_v1, user_v2, v1_issuer, v2_issuer},
    jws::token_of,
    keys::{RSA_A, RSA_B, jwks},
    scene::{Scene, Vector, configuration, tenant},
};

/// With one tenant of the global cloud
pub fn vectors() -> Vec<Vector> {
    let mut all = issuers();
    all.extend(tenants());
    all.extend(versions());
    all
}

fn issuers() -> Vec<Vector> {
    let from = |issuer: &str| user_v2().with_text("iss", issuer);
    let mut all = vec![
        accept_claims("v2_of_the_tenant", &user_v2()),
        accept("v1_of_the_tenant", PrincipalKind::User, token_of(&RSA_B, "b", user_v1().text())),
        accept_claims("iss_with_escaped_slashes", &from(&v2_issuer(TENANT).replace('/', r"\/"))),
        refuse_claims("iss_missing", "claim_missing", &user_v2().without("iss")),
    ];
    for (name, json) in [
        ("array", format!("[\"{}\"]", v2_issuer(TENANT))),
        ("number", "5".into()),
        ("null", "null".into()),
        ("object", "{}".into()),
        ("true", "true".into()),
    ] {
        all.push(refuse_claims(format!("iss_{name}"), "claim_invalid", &user_v2().with("iss", json)));
    }
    for (name, issuer) in [
        ("empty", String::new()),
        ("tenant_template", v2_issuer("{tenantid}")),
        ("tenant_template_v1", v1_issuer("{tenantid}")),
        ("common", v2_issuer("common")),
        ("organizations", v2_issuer("organizations")),
        ("domain_instead_of_guid", v2_issuer("contoso.onmicrosoft.com")),
        ("trailing_slash", format!("{}/", v2_issuer(TENANT))),
        ("v1_without_trailing_slash", v1_issuer(TENANT).trim_end_matches('/').into()),
        ("v1_1", format!("https://login.microsoftonline.com/{TENANT}/v1.1")),
        ("authority_without_version", format!("https://login.microsoftonline.com/{TENANT}/")),
        ("us_government", format!("https://login.microsoftonline.us/{TENANT}/v2.0")),
        ("china", format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0")),
        ("china_v1", format!("https://sts.chinacloudapi.cn/{TENANT}/")),
        ("germany", format!("https://login.microsoftonline.de/{TENANT}/v2.0")),
        ("ppe", format!("https://login.windows-ppe.net/{TENANT}/v2.0")),
        ("ppe_v1", format!("https://sts.windows-ppe.net/{TENANT}/")),
        ("alias_host", format!("https://login.microsoft.com/{TENANT}/v2.0")),
        ("ciam", format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0")),
        ("b2c", format!("https://fabrikamb2c.b2clogin.com/{TENANT}/v2.0/")),
        ("b2c_policy", format!("https://fabrikamb2c.b2clogin.com/tfp/{TENANT}/B2C_1_signin/v2.0/")),
        ("b2c_custom_domain", "https://public.msidlabb2c.com/cpim.onmicrosoft.com/v2.0/".into()),
        ("plain_http", v2_issuer(TENANT).replace("https", "http")),
        ("host_in_capitals", v2_issuer(TENANT).replace("login", "LOGIN")),
        ("without_scheme", v2_issuer(TENANT).replace("https://", "")),
        ("query", format!("{}?x=1", v2_issuer(TENANT))),
        ("user_before_host", v2_issuer(TENANT).replace("https://", "https://login.microsoftonline.com@evil.example/")),
        ("host_prefix", v2_issuer(TENANT).replace(".com", ".com.evil.example")),
        ("leading_space", format!(" {}", v2_issuer(TENANT))),
        ("nul_at_the_end", format!("{}\\u0000", v2_issuer(TENANT))),
        ("gitlab", "https://gitlab.com".into()),
        ("github", "https://token.actions.githubusercontent.com".into()),
    ] {
        all.push(refuse_claims(format!("iss_{name}"), "issuer_untrusted", &from(&issuer)));
    }
    all
}

fn tenants() -> Vec<Vector> {
    let foreign = user_v2().with_text("iss", &v2_issuer(FOREIGN)).with_text("tid", FOREIGN);
    let mut all = vec![
        // All tenants are signed by the same keys of /common: only `iss` and `tid` tell them apart.
        refuse_claims("foreign_tenant_with_the_shared_key", "tenant_not_allowed", &foreign),
        refuse_claims(
            "personal_accounts",
            "tenant_not_allowed",
            &user_v2().with_text("iss", &v2_issuer(CONSUMERS)).with_text("tid", CONSUMERS),
        ),
        refuse_claims(
            "foreign_tenant_v1",
            "tenant_not_allowed",
            &user_v1().with_text("iss", &v1_issuer(FOREIGN)).with_text("tid", FOREIGN),
        ),
        refuse_claims("iss_ours_tid_foreign", "tenant_not_allowed", &user_v2().with_text("tid", FOREIGN)),
        refuse_claims("iss_foreign_tid_ours", "tenant_not_allowed", &user_v2().with_text("iss", &v2_issuer(FOREIGN))),
        refuse_claims(
            "iss_with_the_tenant_in_capitals",
            "tenant_not_allowed",
            &user_v2().with_text("iss", &v2_issuer(&TENANT.to_uppercase())),
        ),
        accept_claims("tid_in_capitals", &user_v2().with_text("tid", &TENANT.to_uppercase())),
        refuse_claims("tid_missing", "claim_missing", &user_v2().without("tid")),
        refuse_claims(
            "tid_in_capital_name_only",
            "claim_missing",
            &user_v2().without("tid").and("TID", format!("\"{TENANT}\"")),
        ),
        refuse_claims(
            "tid_under_its_long_name_only",
            "claim_missing",
            &user_v2()
                .without("tid")
                .and("http://schemas.microsoft.com/identity/claims/tenantid", format!("\"{TENANT}\"")),
        ),
    ];
    for (name, json) in [
        // Microsoft's own documentation shows such a one: 35 characters.
        ("too_short", format!("\"{}\"", &TENANT[..35])),
        ("in_braces", format!("\"{{{TENANT}}}\"")),
        ("without_dashes", format!("\"{}\"", TENANT.replace('-', ""))),
        ("domain", "\"contoso.onmicrosoft.com\"".into()),
        ("template", "\"{tenantid}\"".into()),
        ("empty", "\"\"".into()),
        ("array", format!("[\"{TENANT}\"]")),
        ("null", "null".into()),
        ("number", "1".into()),
    ] {
        all.push(refuse_claims(format!("tid_{name}"), "claim_invalid", &user_v2().with("tid", json)));
    }
    all
}

fn versions() -> Vec<Vector> {
    let v1 = |claims: Claims| token_of(&RSA_B, "b", claims.text());
    vec![
        refuse_claims("ver_missing", "claim_missing", &user_v2().without("ver")),
        refuse_claims("ver_empty", "claim_missing", &user_v2().with_text("ver", "")),
        refuse_claims("ver_of_v1_in_v2", "claim_invalid", &user_v2().with_text("ver", "1.0")),
        refuse_claims("ver_unknown", "claim_invalid", &user_v2().with_text("ver", "3.0")),
        refuse_claims("ver_number", "claim_invalid", &user_v2().with("ver", "2.0")),
        refuse("ver_of_v2_in_v1", "claim_invalid", v1(user_v1().with_text("ver", "2.0"))),
        refuse("v1_signed_by_the_v2_key", "key_unknown", token_of(&RSA_A, "a", user_v1().text())),
        refuse("v2_signed_by_the_v1_key", "key_unknown", token_of(&RSA_B, "b", user_v2().text())),
    ]
}

const GOV: &str = "22222222-2222-3333-4444-555555555555";
const CHINA: &str = "33333333-2222-3333-4444-555555555555";
const CIAM: &str = "44444444-2222-3333-4444-555555555555";
const LAB: &str = "55555555-2222-3333-4444-555555555555";

/// With a tenant in each cloud, and before any key is there
pub fn scenes() -> Vec<Scene> {
    let mut without_keys = Scene::standard(
        "no_keys_yet",
        vec![
            refuse_claims("keys_not_fetched", "keys_unavailable", &user_v2()),
            refuse_claims(
                "untrusted_issuer_comes_first",
                "issuer_untrusted",
                &user_v2().with_text("iss", "https://evil.example"),
            ),
        ],
    );
    without_keys.keys.clear();
    vec![clouds(), without_keys]
}

fn clouds() -> Scene {
    let ciam = format!("https://{CIAM}.ciamlogin.com");
    let mut scene = Scene::standard("clouds", Vec::new());
    scene.configuration = configuration(
        &json!([
            tenant(TENANT, "global"),
            tenant(GOV, "usgov"),
            tenant(CHINA, "china"),
            tenant(CIAM, "customers"),
            tenant(LAB, "lab"),
        ]),
        &json!({ "customers": { "authority": ciam }, "lab": { "authority": "http://127.0.0.1:7100" } }),
        &json!({}),
    );
    for (id, kid) in [(GOV, "g"), (CHINA, "c"), (CIAM, "i"), (LAB, "l")] {
        for version in ["v1", "v2"] {
            let set = jwks(&[RSA_B.jwk(&format!("{kid}{version}"))]);
            scene.keys.push((format!("entra-{version}:{id}"), set));
        }
    }
    let of = |claims: Claims, issuer: &str, id: &str, kid: &str| {
        let claims = claims.with_text("iss", issuer).with_text("tid", id);
        token_of(&RSA_B, kid, claims.text())
    };
    let gov = format!("https://login.microsoftonline.us/{GOV}/v2.0");
    let china = format!("https://login.partner.microsoftonline.cn/{CHINA}/v2.0");
    let china_v1 = format!("https://sts.chinacloudapi.cn/{CHINA}/");
    let ciam = format!("{ciam}/{CIAM}/v2.0");
    let lab = format!("http://127.0.0.1:7100/{LAB}/v2.0");
    let lab_v1 = format!("http://127.0.0.1:7100/{LAB}/");
    let gov_in_global = v2_issuer(GOV);
    let user = |name: &str, token| accept(name, PrincipalKind::User, token);
    scene.vectors = vec![
        accept_claims("global", &user_v2()),
        user("us_government", of(user_v2(), &gov, GOV, "gv2")),
        // Both clouds write the same v1.0 issuer: the tenant tells them apart, and the profile has the keys.
        user("us_government_v1", of(user_v1(), &v1_issuer(GOV), GOV, "gv1")),
        user("china", of(user_v2(), &china, CHINA, "cv2")),
        user("china_v1", of(user_v1(), &china_v1, CHINA, "cv1")),
        user("ciam", of(user_v2(), &ciam, CIAM, "iv2")),
        user("custom_cloud", of(user_v2(), &lab, LAB, "lv2")),
        user("custom_cloud_v1", of(user_v1(), &lab_v1, LAB, "lv1")),
        refuse("keys_of_another_cloud", "key_unknown", of(user_v2(), &gov, GOV, "cv2")),
        refuse("keys_of_the_other_version", "key_unknown", of(user_v2(), &gov, GOV, "gv1")),
        refuse("key_of_the_global_cloud", "key_unknown", of(user_v2(), &gov, GOV, "a")),
        refuse("tid_of_another_listed_tenant", "tenant_not_allowed", of(user_v2(), &gov, TENANT, "gv2")),
        refuse("listed_tenant_in_the_wrong_cloud", "tenant_not_allowed", of(user_v2(), &gov_in_global, GOV, "gv2")),
        refuse("v1_issuer_of_another_cloud", "tenant_not_allowed", of(user_v1(), &v1_issuer(CHINA), CHINA, "cv1")),
        refuse(
            "ciam_under_its_domain_name",
            "issuer_untrusted",
            of(user_v2(), &format!("https://contoso.ciamlogin.com/{CIAM}/v2.0"), CIAM, "iv2"),
        ),
    ];
    scene
}
