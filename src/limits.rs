//! Budgets for untrusted input: each number with its source

/// Longest token in bytes. An Entra token with the maximum of 200 groups is 12 KB; Node's own header limit is 16 KiB
/// and Backstage's token limit 32 kB (backstage/backstage PR #22640), so no real token is longer
pub const TOKEN_BYTES: usize = 32 * 1024;

/// Deepest nesting in a header or claims set. Real tokens use 3 (`_claim_sources.src1.endpoint`)
pub const JSON_DEPTH: u8 = 8;

/// Most members in one header or claims set, all objects together. Real tokens have 20 to 45
pub const JSON_MEMBERS: usize = 256;

/// Deepest nesting in a document of the operator or an issuer; policies nest conditions, and nobody reads more than that
pub const DOCUMENT_DEPTH: u8 = 64;

/// Most members in one document, all objects together: ten thousand rules (see [`RULES`]) with twenty members each
pub const DOCUMENT_MEMBERS: usize = 200_000;

/// Most members in one object of a document: names are compared with each other
pub const OBJECT_MEMBERS: usize = 1024;

/// Most elements in one array other than `groups`. App roles and `wids` stay below 100 in real tokens
pub const ARRAY_ELEMENTS: usize = 512;

/// Most group ids in one token. Entra stops at 200 and switches to overage (Microsoft Entra: configure group claims)
pub const GROUPS: usize = 512;

/// Most group ids that the host may hand over for one principal. Microsoft Graph lists 11,000 at once
/// (`Directory_ResultSizeLimitExceeded`), and beyond by pages; nobody is known to be in more than a few ten thousand
pub const RESOLVED_GROUPS: usize = 50_000;

/// Longest `kid` in bytes. Entra's have 27 or 43 characters, GitHub's and GitLab's 43 to 64
pub const KID_BYTES: usize = 256;

/// Most keys in one key set. Microsoft: caches must hold 10 to 1,000 keys (signing key rollover)
pub const KEYS: usize = 1000;

/// Shortest RSA modulus in bits (RFC 7518 section 3.3)
pub const RSA_MODULUS_BITS_MIN: usize = 2048;

/// How long keys are trusted after they were fetched, in seconds. Microsoft: keys are fetched anew within 24 hours (signing
/// key rollover). An outage of the issuer is outlived by the last good keys that long, a withdrawn key not longer
pub const KEYS_TRUSTED_SECONDS: u64 = 24 * 60 * 60;

/// Longest RSA modulus in bits: the portable verifier's limit (rsa 0.9); no issuer is known to publish longer keys
pub const RSA_MODULUS_BITS_MAX: usize = 4096;

/// Clock difference tolerated, in seconds, unless a tenant says less: Microsoft.IdentityModel's default (TokenValidationParameters)
pub const LEEWAY_SECONDS: u64 = 300;

/// Longest lifetime of an Entra token, in seconds: tokens for Continuous Access Evaluation live up to 28 hours
/// (Microsoft identity platform access tokens)
pub const ENTRA_LIFETIME_SECONDS: u64 = 28 * 60 * 60;

/// The least that the longest lifetime may be set to, in seconds: no policy of Entra makes a token shorter-lived than ten
/// minutes (Microsoft: configurable token lifetimes), so a lower number would refuse everybody
pub const ENTRA_LIFETIME_SECONDS_MIN: u64 = 10 * 60;

/// Most callers held by token at once: each is needed for one request, or for as long as its token is cached. The oldest
/// goes first; its token is simply judged again
pub const TOKEN_PRINCIPALS: usize = 1024;

/// Most signed-in callers held at once; the oldest goes first and is taken in again from its record
pub const SESSION_PRINCIPALS: usize = 65_536;

/// Most distinct permissions with a number, and so the most answers kept for one principal; Backstage installations know
/// a few hundred. Anybody may ask about a made-up name: beyond this it is answered without being remembered
pub const PERMISSIONS: usize = 1024;

/// Longest name of a permission or resource type that gets a number; real ones stay below 60 bytes
pub const PERMISSION_BYTES: usize = 128;

/// Most members in all objects of a directory: 100,000 users in ten groups each are two million, and a page is a small part
pub const DIRECTORY_MEMBERS: usize = 16_000_000;

/// Most entries of the directory's closure, 16 MB of memory. 20,000 groups in eight levels take 300,000; where nesting is so
/// deep that more would be needed, it is climbed step by step
pub const CLOSURE_NODES: usize = 4_000_000;

/// Most rules in a policy
pub const RULES: usize = 10_000;

/// Longest policy in bytes of JSON: 10,000 rules of 400 bytes
pub const POLICY_BYTES: usize = 4 * 1024 * 1024;

/// Deepest nesting of a condition: `not`, `allOf` and `anyOf` inside each other. Written by people, to be read by people
pub const CONDITION_DEPTH: usize = 8;

/// Most parts of one rule's condition
pub const CONDITION_PARTS: usize = 64;

/// Longest name of a permission rule or resource type in a condition; Backstage's own stay below 40 bytes
pub const RULE_NAME_BYTES: usize = 128;

/// Longest params of a permission rule in a condition, as JSON text
pub const PARAMS_BYTES: usize = 2048;

/// Longest condition of one answer, roughly as JSON text. Backstage sends it to the plugin of the resource once for each of
/// the items of a batch, in a body of at most 100 kB (backstage/backstage#20188)
pub const CRITERIA_BYTES: usize = 16 * 1024;

/// Most conditions with a number: twelve bits of a decision, all of them set for "without a number"
pub const CRITERIA: usize = 4095;

/// Most ways that are named to what was refused
pub const WAYS: usize = 5;

/// Most facts of one of them: whoever lacks more lacks a rule
pub const FACTS: usize = 4;

/// Most times that a question is decided again to find them: a few milliseconds
pub const TRIALS: usize = 2_000;

/// Longest name of an app role, in bytes (Microsoft Entra: app role `value` has at most 120 characters)
pub const ROLE_BYTES: usize = 480;

/// Longest `signedInWithin`, in seconds: a sign-in of a month ago proves nothing
pub const SIGNED_IN_WITHIN_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Clock difference tolerated for tokens of pipelines, in seconds, unless configured: they live for minutes
pub const PIPELINE_LEEWAY_SECONDS: u64 = 60;

/// The longest that a pipeline's token may be let live, in seconds: no job that calls Backstage runs for more than a day
pub const PIPELINE_LIFETIME_SECONDS_MAX: u64 = 24 * 60 * 60;

/// The least of it, in seconds
pub const PIPELINE_LIFETIME_SECONDS_MIN: u64 = 60;

/// Longest value of a known claim of a job, in bytes: git refuses refs of more than 255 bytes, and paths of projects are shorter
pub const JOB_CLAIM_BYTES: usize = 1024;

/// Longest `jti` of a token that counts once, in bytes; all issuers use UUIDs
pub const JTI_BYTES: usize = 128;

/// Longest id of a pipeline issuer: the namespace of an entity reference (Backstage's `KubernetesValidatorFunctions`)
pub const PIPELINE_ID_BYTES: usize = 63;

/// Longest name of a trust entry: with a dot and a UUID it is the name of an entity, which has 63 letters at the most
pub const TRUST_NAME_BYTES: usize = 30;

/// Most trust entries of one issuer: each is compared with each other when they are read
pub const TRUST_ENTRIES: usize = 1000;

/// Longest text in a record of the audit trail, in bytes: longer than any entity reference, id or reason
pub const AUDIT_TEXT_BYTES: usize = 1024;

/// The most days for which records may be kept, where they are not kept for ever
pub const AUDIT_DAYS: u64 = 3660;

/// How much earlier than a token was really issued Entra writes its `iat` and `nbf`, in seconds: always, so that clocks may differ
/// (openid/AppAuth-iOS#264, psignoret/aad-sso-wordpress#34). Whoever signs in again right after all sign-ins were ended, or an
/// account was made, comes with a token that seems to be of before
pub const TOKEN_BACKDATED_SECONDS: u64 = 5 * 60;

/// How long a new account may take to be known, in seconds. Delta queries of Microsoft Graph are "eventually consistent": a change
/// takes seconds as a rule, and minutes at times. Whoever holds a token that is older than this by the time at which the whole
/// directory was last known, and is not in it, has been deleted
pub const NEW_ACCOUNT_SECONDS: u64 = 15 * 60;

/// How soon it is looked again whether a new account is known, in seconds
pub const NEW_ACCOUNT_AGAIN_SECONDS: u64 = 30;
