//! All tests that run natively, as one program: each program more is compiled and linked anew
#![cfg(not(target_arch = "wasm32"))]

mod architecture;
mod directory;
mod discretion;
mod engine;
mod following;
mod groups;
mod hostile_catalog;
mod inspect;
mod pipelines;
mod policy_callers;
mod policy_laws;
mod policy_mistakes;
mod remedies;
mod scanning;
mod support;
mod vectors;
mod wycheproof;
