//! Writes the seeds: every vector of `tests/support`, every key set, and a few good documents of the operator
//!
//! `cargo run --example seeds -- FOLDER` makes `FOLDER/<target>/seed-*`. Nothing is kept under version control: the seeds
//! are as fresh as the vectors.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::{env, fs, path::Path};

use entra_access_core::token::Purpose;
use support::{key_sets, naive::NaiveRule, random::Random, scene::Vector, vectors};

/// Longer vectors are about budgets, which short seeds with a dictionary do not need
const LONGEST: usize = 6000;

fn main() {
    let folder = env::args().nth(1).expect("the folder to write to");
    let folder = Path::new(&folder);
    let mut tokens = Vec::new();
    for scene in vectors::scenes() {
        let reject = u8::from(scene.name == "overage_rejected") << 3;
        for vector in scene.vectors {
            tokens.push(token(&vector, reject));
        }
    }
    write(&folder.join("token"), tokens);
    write(&folder.join("jwks"), key_sets::rows().into_iter().map(|row| row.text.into_bytes()).collect());
    write(&folder.join("config"), CONFIGURATIONS.iter().map(|text| text.as_bytes().to_vec()).collect());
    let mut policies: Vec<_> = POLICIES.iter().map(|text| text.as_bytes().to_vec()).collect();
    let mut random = Random::new(1);
    for number in 0..40 {
        let rules: Vec<_> = (0..=number % 4).map(|at| NaiveRule::generate(&mut random, at).json()).collect();
        policies.push(serde_json::json!({ "rules": rules }).to_string().into_bytes());
    }
    write(&folder.join("policy"), policies);
}

/// As the target reads it: what is signed goes without its signature, so that mutations are of the text
fn token(vector: &Vector, reject: u8) -> Vec<u8> {
    let how = reject | if vector.purpose == Purpose::SignIn { 4 } else { 0 };
    let parts: Vec<_> = vector.token.split(|byte| *byte == b'.').collect();
    if let [header, payload, _] = parts[..]
        && let (Some(header), Some(payload)) = (decode(header), decode(payload))
        && !header.contains(&0)
    {
        return match header.as_slice() {
            br#"{"typ":"JWT","alg":"RS256","kid":"a"}"# => [&[how | 1], payload.as_slice()].concat(),
            header => [&[how | 2], header, &[0], payload.as_slice()].concat(),
        };
    }
    [&[how], vector.token.as_slice()].concat()
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let value = |letter: &u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let sextets: Option<Vec<u8>> = text.iter().map(value).collect();
    let bits = sextets?.into_iter().flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    let (bytes, rest) = bits.as_chunks::<8>();
    // What does not decode strictly is the seed of a whole token.
    let strict = rest.len() < 6 && rest.iter().all(|bit| *bit == 0);
    strict.then(|| bytes.iter().map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect())
}

fn write(folder: &Path, seeds: Vec<Vec<u8>>) {
    fs::create_dir_all(folder).unwrap();
    for (number, seed) in seeds.into_iter().enumerate().filter(|(_, seed)| seed.len() <= LONGEST) {
        fs::write(folder.join(format!("seed-{number:04}")), seed).unwrap();
    }
}

const CONFIGURATIONS: [&str; 6] = [
    r#"{"tenants":[{"tenantId":"11111111-2222-3333-4444-555555555555","audiences":["api://backstage"]}],"policy":{}}"#,
    r#"{"tenants":[{"tenantId":"11111111-2222-3333-4444-555555555555","cloud":"usgov","audiences":["AAAAAAAA-0000-0000-0000-000000000001","api://x"],"clients":["aaaaaaaa-0000-0000-0000-00000000000d"]},{"tenantId":"21111111-2222-3333-4444-555555555555","cloud":"china","audiences":["x"]}],"policy":{"rules":[]}}"#,
    r#"{"tenants":[{"tenantId":"11111111-2222-3333-4444-555555555555","cloud":"lab","audiences":["x"]}],"clouds":{"lab":{"authority":"http://127.0.0.1:7100","graph":"http://localhost/graph"}},"policy":{"file":"x.yaml"}}"#,
    r#"{"tenants":[{"tenantId":"11111111-2222-3333-4444-555555555555","cloud":"ciam","audiences":["x"]}],"clouds":{"ciam":{"authority":"https://contoso.ciamlogin.com/"},"six":{"authority":"http://[::1]:80"}},"groups":{"source":"token","overage":"reject","mapping":[{"group":"aaaaaaaa-0000-0000-0000-000000000002","owner":"group:default/payments"}]},"policy":{}}"#,
    r#"{"tenants":[{"tenantId":"11111111-2222-3333-4444-555555555555","audiences":["https://graph.microsoft.com","*"]}],"clouds":{"b2c":{"authority":"https://x.b2clogin.com"}},"policy":{}}"#,
    r#"{"tenants":[{"tenantId":"11111111-2222-3333-4444-555555555555","audiences":["x"]}],"pipelines":[{"id":"gitlab","type":"gitlab","issuer":"https://gitlab.example.com","audiences":["https://b"],"leeway":10,"maxLifetime":600,"trust":[{"name":"a","match":{"project_id":["42","43"],"ref":"release/*","runner_id":7,"ref_protected":"true"},"groups":["aaaaaaaa-0000-0000-0000-000000000002"],"production":true,"singleUse":true,"publish":["environment"]},{"name":"b","match":{"namespace_id":"7"},"groups":[],"allowMergeRequests":true}]},{"id":"bb","type":"bitbucket","issuer":"http://127.0.0.1:1/","audiences":["https://b"],"trust":[{"name":"c","match":{"repositoryUuid":"{aaaaaaaa-0000-0000-0000-000000000002}"},"groups":[]}]}],"policy":{}}"#,
];

const POLICIES: [&str; 6] = [
    r#"{"rules":[{"id":"everyone-reads","effect":"allow","permissions":["catalog.entity.read","catalog.location.read"]},{"id":"owners-manage","effect":"allow","permissions":["catalog.entity.*"],"actions":["update","delete"],"when":{"owned":true}},{"id":"admins","effect":"allow","permissions":["*"],"principals":[{"group":"cccccccc-0000-0000-0000-000000000001"},{"role":"Backstage.Admin"}]},{"id":"agents-dont-delete","effect":"deny","permissions":["*"],"actions":["delete"],"principals":[{"kind":"agent"}]}]}"#,
    r#"{"rules":[{"id":"not-my-own","effect":"deny","permissions":["catalog.entity.read"],"when":{"owned":true}},{"id":"all","effect":"allow","permissions":["*"]}]}"#,
    r#"{"rules":[{"id":"a","effect":"allow","permissions":["a"],"principals":[{"user":"11111111-2222-3333-4444-555555555555/bbbbbbbb-0000-0000-0000-000000000001"},{"workload":"aaaaaaaa-0000-0000-0000-00000000000d"}]}]}"#,
    r#"{"rules":[{"id":"labelled","effect":"allow","permissions":["catalog.entity.*"],"when":{"anyOf":[{"owned":true},{"allOf":[{"not":{"owned":true}},{"rule":"HAS_LABEL","params":{"label":"env","value":[1,2.5,null,{"a":true}]},"resourceType":"catalog-entity"}]}]}},{"id":"not-x","effect":"deny","permissions":["*"],"when":{"not":{"rule":"HAS_X"}}}]}"#,
    r#"{"rules":[{"id":"strong","effect":"allow","permissions":["*"],"requires":{"authContext":"c1","mfa":true,"signedInWithin":"1h"}},{"id":"recent","effect":"deny","permissions":["scaffolder.*"],"requires":{"signedInWithin":"90s"}}]}"#,
    r#"{"rules":[{"id":"me","effect":"allow","permissions":["a"],"principals":[{"user":"user:default/me"},{"pipeline":"gitlab","trust":"x"}]},{"id":"agents","effect":"allow","permissions":["*"],"principals":[{"kind":"agent"}]}]}"#,
];
