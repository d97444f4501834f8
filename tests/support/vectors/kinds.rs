//! What a token is: of a person, an application, an agent; or something that must not pass for one of them

use entra_access_core::{
    config::IssuerOf,
    identity::PrincipalKind::{Agent, User, Workload},
};
use serde_json::json;

use super::{accept, accept_claims, refuse, refuse_claims, user};
use crate::support::{
    claims::{API, Claims, PORTAL, TENANT, agent_v2, app_v2, id_token_v2, user_v1, user_v2},
    jws::{token, token_of},
    keys::RSA_B,
    scene::{Scene, Vector, configuration, tenant},
};

/// The vectors
pub fn vectors() -> Vec<Vector> {
    let mut all = people();
    all.extend(applications());
    all.extend(agents());
    all.extend(id_tokens());
    all.extend(neither());
    all
}

const KIND: &str = "token_kind_not_allowed";

fn people() -> Vec<Vector> {
    let v1 = |claims: Claims| token_of(&RSA_B, "b", claims.text());
    vec![
        accept_claims("person", &user_v2()),
        user("person_v1", v1(user_v1())),
        accept_claims("person_with_idtyp_user", &user_v2().with_text("idtyp", "user")),
        accept_claims("person_with_several_scopes", &user_v2().with_text("scp", "a b  c")),
        // A guest has the tenant of the resource; where the account is from decides nothing.
        accept_claims(
            "guest",
            &user_v2()
                .with_text("idp", "https://sts.windows.net/99999999-8888-7777-6666-555555555555/")
                .with_text("acct", "1")
                .with_text("upn", "foo_contoso.com#EXT#@example.com"),
        ),
        refuse_claims("no_scope", KIND, &user_v2().without("scp")),
        refuse_claims("scope_empty", KIND, &user_v2().with_text("scp", "")),
        refuse_claims("scope_space", KIND, &user_v2().with_text("scp", " ")),
        refuse_claims("scope_slash", KIND, &user_v2().with_text("scp", "/")),
        refuse_claims("scope_array", "claim_invalid", &user_v2().with("scp", "[\"access_as_user\"]")),
        refuse_claims("scope_null", "claim_invalid", &user_v2().with("scp", "null")),
        refuse_claims("scope_under_another_name", KIND, &user_v2().without("scp").with_text("scope", "a")),
        refuse_claims("person_without_oid", "claim_missing", &user_v2().without("oid")),
        refuse_claims("oid_not_a_guid", "claim_invalid", &user_v2().with_text("oid", "ada@example.com")),
        refuse_claims("oid_number", "claim_invalid", &user_v2().with("oid", "1")),
        refuse_claims("sub_is_no_oid", "claim_missing", &user_v2().without("oid").with_text("sub", PORTAL)),
        refuse_claims("person_without_client", "claim_missing", &user_v2().without("azp")),
        refuse_claims("azp_not_a_guid", "claim_invalid", &user_v2().with_text("azp", "portal")),
        refuse_claims(
            "v2_with_the_client_of_v1",
            "claim_missing",
            &user_v2().without("azp").with_text("appid", PORTAL),
        ),
        refuse("v1_with_the_client_of_v2", "claim_missing", v1(user_v1().without("appid").with_text("azp", PORTAL))),
        refuse_claims("idtyp_device", KIND, &user_v2().with_text("idtyp", "device")),
        refuse_claims("idtyp_in_capitals", KIND, &user_v2().with_text("idtyp", "User")),
        refuse_claims("idtyp_empty", KIND, &user_v2().with_text("idtyp", "")),
        refuse_claims("idtyp_array", "claim_invalid", &user_v2().with("idtyp", "[\"user\"]")),
        refuse_claims("idtyp_null", "claim_invalid", &user_v2().with("idtyp", "null")),
        refuse_claims("roles_string", "claim_invalid", &user_v2().with_text("roles", "Admin")),
        refuse_claims("roles_with_number", "claim_invalid", &user_v2().with("roles", "[\"Admin\",1]")),
        refuse_claims("groups_as_names", "claim_invalid", &user_v2().with("groups", "[\"Payments\"]")),
        refuse_claims("groups_string", "claim_invalid", &user_v2().with_text("groups", PORTAL)),
        refuse_claims("groups_with_null", "claim_invalid", &user_v2().with("groups", "[null]")),
        accept_claims("overage", &user_v2().without("groups").with("_claim_names", r#"{"groups":"src1"}"#)),
    ]
}

fn applications() -> Vec<Vector> {
    let v1 = app_v2()
        .without("azp")
        .with_text("appid", "aaaaaaaa-0000-0000-0000-00000000000d")
        .with_text("iss", &format!("https://sts.windows.net/{TENANT}/"))
        .with_text("ver", "1.0");
    vec![
        accept("application", Workload, token(app_v2().text())),
        accept("application_v1", Workload, token_of(&RSA_B, "b", v1.text())),
        accept("application_without_roles", Workload, token(app_v2().without("roles").text())),
        accept("application_with_scope_slash", Workload, token(app_v2().with_text("scp", "/").text())),
        accept("application_whose_sub_is_not_its_oid", Workload, token(app_v2().with_text("sub", "x").text())),
        accept(
            "client_in_capitals",
            Workload,
            token(app_v2().with_text("azp", "AAAAAAAA-0000-0000-0000-00000000000D").text()),
        ),
        // Entra gives any application of the tenant a token for any API: only the list lets it in.
        refuse_claims("client_not_listed", "client_not_allowed", &app_v2().with_text("azp", PORTAL)),
        refuse_claims("client_is_the_api_itself", "client_not_allowed", &app_v2().with_text("azp", API)),
        refuse_claims("application_without_idtyp", KIND, &app_v2().without("idtyp")),
        refuse_claims(
            "application_without_idtyp_with_equal_sub",
            KIND,
            &app_v2().without("idtyp").with_text("sub", PORTAL),
        ),
        refuse_claims("application_with_scope", KIND, &app_v2().with_text("scp", "access_as_user")),
        // Tokens without a service principal have no `oid`; they have been abused and are being withdrawn.
        refuse_claims("application_without_oid", "claim_missing", &app_v2().without("oid")),
        refuse_claims("application_without_client", "claim_missing", &app_v2().without("azp")),
        refuse_claims("idtyp_app_in_capitals", KIND, &app_v2().with_text("idtyp", "App")),
        refuse_claims("idtyp_app_with_space", KIND, &app_v2().with_text("idtyp", "app ")),
        refuse_claims("person_who_says_app", KIND, &user_v2().with_text("idtyp", "app")),
    ]
}

fn agents() -> Vec<Vector> {
    let facets = |name: &str, text: &str| user_v2().with_text("idtyp", "user").with_text(name, text);
    vec![
        accept("agent_for_a_person", Agent, token(agent_v2().text())),
        accept("agent_facet_alone", Agent, token(facets("xms_act_fct", "11").text())),
        accept("agent_facet_among_others", Agent, token(facets("xms_act_fct", "3 11 99").text())),
        // Looks like a person in every other claim.
        accept("agent_user", Agent, token(facets("xms_act_fct", "11").with_text("xms_sub_fct", "13").text())),
        accept("agent_user_without_actor", Agent, token(facets("xms_sub_fct", "13").text())),
        accept(
            "agent_by_itself",
            Agent,
            token(app_v2().with_text("xms_act_fct", "11").with_text("xms_sub_fct", "11").text()),
        ),
        refuse_claims(
            "agent_by_itself_not_listed",
            "client_not_allowed",
            &app_v2().with_text("azp", PORTAL).with_text("xms_act_fct", "11"),
        ),
        accept("other_facets", User, token(facets("xms_act_fct", "15 17").text())),
        accept("facet_111_is_not_11", User, token(facets("xms_act_fct", "111 1 1").text())),
        refuse_claims("facets_array", "claim_invalid", &facets("xms_act_fct", "").with("xms_act_fct", "[11]")),
        refuse_claims("facets_number", "claim_invalid", &facets("xms_act_fct", "").with("xms_act_fct", "11")),
        refuse_claims("facets_with_fraction", "claim_invalid", &facets("xms_act_fct", "11.0")),
        refuse_claims("facets_with_comma", "claim_invalid", &facets("xms_act_fct", "11,13")),
        refuse_claims("facets_with_sign", "claim_invalid", &facets("xms_sub_fct", "+13")),
        refuse_claims("facets_with_word", "claim_invalid", &facets("xms_sub_fct", "agent")),
    ]
}

fn id_tokens() -> Vec<Vector> {
    let mut all = vec![
        refuse_claims("id_token", KIND, &id_token_v2()),
        refuse_claims("id_token_without_nonce", KIND, &id_token_v2().without("nonce")),
        refuse_claims("id_token_with_roles", KIND, &id_token_v2().with("roles", "[\"Admin\"]")),
        refuse_claims("id_token_with_client", KIND, &id_token_v2().without("nonce").with_text("azp", PORTAL)),
        user("id_token_at_sign_in", token(id_token_v2().text())).at_sign_in(),
        user("id_token_without_nonce_at_sign_in", token(id_token_v2().without("nonce").text())).at_sign_in(),
        refuse_claims("access_token_at_sign_in", KIND, &user_v2()).at_sign_in(),
        refuse_claims("app_token_at_sign_in", KIND, &app_v2()).at_sign_in(),
        refuse_claims("token_with_scope_and_nonce_at_sign_in", KIND, &user_v2().with_text("nonce", "n")).at_sign_in(),
        refuse_claims("id_token_without_oid_at_sign_in", "claim_missing", &id_token_v2().without("oid")).at_sign_in(),
        refuse_claims(
            "id_token_for_another_client_at_sign_in",
            "audience_mismatch",
            &id_token_v2().with_text("aud", PORTAL),
        )
        .at_sign_in(),
        refuse_claims("id_token_bound_to_a_key_at_sign_in", POP, &id_token_v2().with("cnf", "{}")).at_sign_in(),
        // Looks like a person in every other claim: an agent must not become one by way of an ID token.
        refuse_claims("id_token_of_an_agent_user_at_sign_in", KIND, &id_token_v2().with_text("xms_sub_fct", "13"))
            .at_sign_in(),
        refuse_claims("id_token_through_an_agent_at_sign_in", KIND, &id_token_v2().with_text("xms_act_fct", "11"))
            .at_sign_in(),
        user("id_token_with_other_facets_at_sign_in", token(id_token_v2().with_text("xms_act_fct", "2").text()))
            .at_sign_in(),
    ];
    for mark in ["nonce", "c_hash", "at_hash", "s_hash"] {
        all.push(refuse_claims(format!("access_token_with_{mark}"), KIND, &user_v2().with_text(mark, "x")));
        all.push(refuse_claims(format!("access_token_with_{mark}_null"), KIND, &user_v2().with(mark, "null")));
    }
    all
}

const POP: &str = "proof_of_possession_unsupported";

fn neither() -> Vec<Vector> {
    let mut all = Vec::new();
    for (name, json) in [
        ("key", r#"{"jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}"#),
        ("thumbprint", r#"{"kid":"abc","xms_ksl":"sw"}"#),
        ("mtls", r#"{"x5t#S256":"abc"}"#),
        ("empty", "{}"),
        ("null", "null"),
        ("false", "false"),
        ("string", "\"none\""),
    ] {
        all.push(refuse_claims(format!("cnf_{name}"), POP, &user_v2().with("cnf", json)));
    }
    let logout = r#"{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
    all.extend([
        refuse_claims("logout_token", KIND, &id_token_v2().without("nonce").with("events", logout)),
        refuse_claims("logout_token_at_sign_in", KIND, &id_token_v2().without("nonce").with("events", logout))
            .at_sign_in(),
        refuse_claims("access_token_with_events", KIND, &user_v2().with("events", "{}")),
        refuse_claims("application_with_events", KIND, &app_v2().with("events", "null")),
    ]);
    all
}

/// With overage refused, and with no application on the list
pub fn scenes() -> Vec<Scene> {
    let overage = user_v2().without("groups").with("hasgroups", "true");
    let mut reject = Scene::standard(
        "overage_rejected",
        vec![
            accept_claims("groups_in_the_token", &user_v2()),
            accept_claims("no_groups_at_all", &user_v2().with("groups", "[]")),
            refuse_claims("overage_in_implicit_flow", "groups_unknown", &overage),
            refuse_claims(
                "overage_in_code_flow",
                "groups_unknown",
                &user_v2().without("groups").with("_claim_names", r#"{"groups":"src1"}"#),
            ),
            refuse_claims("groups_not_configured", "groups_unknown", &user_v2().without("groups")),
            refuse_claims("groups_and_overage_at_once", "groups_unknown", &user_v2().with("hasgroups", "true")),
            // Entra never lists the groups of an application: nothing was left out.
            accept("application", Workload, token(app_v2().text())),
        ],
    );
    reject.configuration =
        configuration(&json!([tenant(TENANT, "global")]), &json!({}), &json!({ "overage": "reject" }));
    let mut nobody = Scene::standard(
        "no_application_listed",
        vec![accept_claims("person", &user_v2()), refuse_claims("application", "client_not_allowed", &app_v2())],
    );
    for profile in &mut nobody.configuration.profiles {
        if let IssuerOf::Tenant(tenant) = &mut profile.of {
            tenant.clients.clear();
        }
    }
    vec![reject, nobody]
}
