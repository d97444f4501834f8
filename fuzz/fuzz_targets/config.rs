//! The operator's configuration: never a panic, every mistake with its place, and nothing open in what is taken
#![no_main]

use entra_access_core::{
    config::{Configuration, IssuerOf},
    pipeline::kinds::IMMUTABLE,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let configuration = match Configuration::parse(text) {
        Ok(configuration) => configuration,
        Err(mistake) => {
            assert!(mistake.path.starts_with("entraAccess"), "{}", mistake.path);
            assert!(!mistake.message.is_empty());
            return;
        }
    };
    let profiles = &configuration.profiles;
    assert!(!profiles.is_empty(), "no tenant");
    for (at, profile) in profiles.iter().enumerate() {
        assert!(!profile.audiences.is_empty(), "no audience");
        for audience in &profile.audiences {
            assert!(!audience.is_empty() && !audience.contains(['*', ' ', '\n']), "{audience:?}");
            let plain = audience.trim_end_matches('/').to_ascii_lowercase();
            assert_ne!(plain, "00000003-0000-0000-c000-000000000000", "Microsoft Graph's own audience");
            assert_ne!(plain, "https://graph.microsoft.com", "Microsoft Graph's own audience");
        }
        assert!(profiles.iter().skip(at + 1).all(|other| other.issuer != profile.issuer), "two profiles, one issuer");
        match &profile.of {
            IssuerOf::Tenant(of) => assert!(profile.issuer.contains(&of.tenant.to_string())),
            IssuerOf::Jobs(jobs) => {
                assert!(!jobs.trust.is_empty(), "no trust entry");
                for entry in &jobs.trust {
                    assert!(entry.wanted.iter().all(|(_, patterns)| !patterns.is_empty()));
                    let binds =
                        |(name, _): &(Box<str>, _)| jobs.kind.claim(name).is_some_and(|claim| claim.is(IMMUTABLE));
                    assert!(entry.wanted.iter().any(binds), "an entry that binds names only");
                }
            }
        }
        for address in [&profile.issuer, &profile.discovery_url] {
            let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
            let loopback = here.iter().filter_map(|base| address.strip_prefix(base));
            let to_this_machine = loopback.into_iter().any(|rest| rest.starts_with([':', '/']));
            assert!(address.starts_with("https://") || to_this_machine, "{address}");
            assert!(!address.contains([' ', '@', '?', '#', '\\']), "{address}");
        }
        assert!(!profile.algorithms.is_empty() && profile.leeway_seconds <= 300);
    }
});
