//! `aud`: a string or a non-empty array of strings, compared exactly

use super::{accept_claims, refuse, refuse_claims};
use crate::support::{
    claims::{API, PORTAL, user_v1, user_v2},
    jws::token_of,
    keys::RSA_B,
    scene::Vector,
};

/// The vectors; the configured audiences are [`API`] and `api://backstage`
pub fn vectors() -> Vec<Vector> {
    let aud = |json: &str| user_v2().with("aud", json.replace("API", API).replace("OTHER", PORTAL));
    let mut all = vec![refuse_claims("aud_missing", "claim_missing", &user_v2().without("aud"))];
    for (name, json) in [
        ("client_id", "\"API\""),
        ("app_id_uri", "\"api://backstage\""),
        ("array_of_one", "[\"API\"]"),
        ("array_with_ours_first", "[\"API\",\"OTHER\"]"),
        ("array_with_ours_last", "[\"OTHER\",\"https://x.example\",\"API\"]"),
        ("array_of_both_of_ours", "[\"API\",\"api://backstage\"]"),
        ("array_with_ours_twice", "[\"API\",\"API\"]"),
        ("escaped", "\"api:\\/\\/\\u0062ackstage\""),
    ] {
        all.push(accept_claims(format!("aud_{name}"), &aud(json)));
    }
    for (name, json) in [
        ("empty_string", "\"\""),
        ("empty_array", "[]"),
        ("array_of_empty_string", "[\"\"]"),
        ("array_with_empty_string", "[\"API\",\"\"]"),
        ("array_with_number", "[\"API\",5]"),
        ("array_with_null", "[null,\"API\"]"),
        ("array_with_object", "[\"API\",{}]"),
        ("nested_array", "[[\"API\"]]"),
        ("object", "{\"API\":true}"),
        ("object_like_an_array", "{\"0\":\"API\",\"length\":1}"),
        ("null", "null"),
        ("number", "0"),
        ("true", "true"),
    ] {
        all.push(refuse_claims(format!("aud_{name}"), "claim_invalid", &aud(json)));
    }
    for (name, json) in [
        ("other_application", "\"OTHER\""),
        ("array_of_others", "[\"OTHER\",\"api://other\"]"),
        ("in_capitals", "\"API://BACKSTAGE\""),
        ("with_trailing_slash", "\"api://backstage/\""),
        ("longer", "\"api://backstage/admin\""),
        ("shorter", "\"api://backstag\""),
        ("with_space", "\" api://backstage\""),
        ("with_nul", "\"api://backstage\\u0000\""),
        ("two_in_one_string", "\"API api://backstage\""),
        ("json_in_a_string", "\"[\\\"API\\\"]\""),
        ("star", "\"*\""),
        ("as_uri_of_the_client_id", "\"api://API\""),
        ("microsoft_graph", "\"https://graph.microsoft.com\""),
        ("microsoft_graph_by_id", "\"00000003-0000-0000-c000-000000000000\""),
        ("full_width_letters", "\"ａpi://backstage\""),
    ] {
        all.push(refuse_claims(format!("aud_{name}"), "audience_mismatch", &aud(json)));
    }
    // Entra writes client ids in lower case; another case is not Entra's.
    all.push(refuse_claims(
        "aud_client_id_in_capitals",
        "audience_mismatch",
        &user_v2().with_text("aud", &API.to_uppercase()),
    ));
    all.push(refuse(
        "aud_v1_other_uri",
        "audience_mismatch",
        token_of(&RSA_B, "b", user_v1().with_text("aud", "api://other").text()),
    ));
    all
}
