//! The shape of the code, as tables that the code must fit: what may use what, and where the outside world begins
//!
//! Design section 2: `src` without the outside, then `src/wasm` with conversions only, then `plugin-js/src/core`, then
//! the rest of the plugin. An entry that is no longer needed fails as well, so that the tables stay the truth.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which modules may use which parts of the crate
const MAY_USE: [(&str, &[&str]); 17] = [
    ("error", &[]),
    ("limits", &[]),
    ("time", &[]),
    ("simd", &[]),
    ("text", &[]),
    ("bytes", &["simd"]),
    ("base64url", &["simd"]),
    ("json", &["bytes", "error", "limits", "simd", "text"]),
    ("identity", &["error", "json", "simd", "time"]),
    ("keys", &["base64url", "bytes", "error", "json", "limits", "time"]),
    ("audit", &["json", "limits", "text"]),
    ("directory", &["identity", "json", "limits", "text", "time"]),
    ("pipeline", &["error", "identity", "json", "limits", "text"]),
    ("config", &["directory", "error", "identity", "json", "keys", "limits", "pipeline", "text"]),
    (
        "token",
        &["base64url", "bytes", "config", "error", "identity", "json", "keys", "limits", "pipeline", "text", "time"],
    ),
    // Knows principals, never tokens.
    ("policy", &["directory", "error", "identity", "json", "limits", "text", "time"]),
    ("engine", &["config", "directory", "error", "identity", "keys", "limits", "policy", "time", "token"]),
];

/// Words that only these files may have in their code
const ONLY_IN: [(&str, &[&str]); 14] = [
    ("jsonwebtoken", &["src/keys/portable.rs"]),
    ("node:crypto", &["src/wasm/node_crypto.rs"]),
    ("wasm_bindgen", &["src/wasm/"]),
    ("js_sys", &["src/wasm/"]),
    ("core::arch", &["src/simd.rs"]),
    ("std::arch", &["src/simd.rs"]),
    // Time is an argument, and the core does no I/O.
    ("SystemTime", &[]),
    ("Instant", &[]),
    ("std::fs", &[]),
    ("std::net", &[]),
    ("std::env", &[]),
    ("std::process", &[]),
    ("std::thread", &[]),
    ("unsafe ", &[]),
];

/// Most lines of code in a file, tests at its end not counted
const LINES: usize = 400;

/// Files that are longer, with the reason
const LONGER: [(&str, &str); 0] = [];

struct Source {
    /// From the repository's root
    path: String,
    /// Without comment lines and without the tests at the end
    code: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn sources(folder: &str, extensions: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if extensions.iter().any(|e| path.extension().is_some_and(|x| x == *e)) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path: name, code: code(&fs::read_to_string(&path).unwrap()) });
            }
        }
    }
    assert!(!found.is_empty(), "nothing found in {folder}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn code(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| {
        let line = line.trim_start();
        !(line.starts_with("//") || line.starts_with('*') || line.starts_with("/*"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Every path below `crate::` in the code, with groups written out: `a::{b, c::{d}}` is `a::b` and `a::c::d`
fn crate_paths(code: &str) -> Vec<String> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .flat_map(|(at, word)| expand(&code[at + word.len()..]).0)
        .collect()
}

/// The paths that start here, and how many bytes they take
fn expand(text: &str) -> (Vec<String>, usize) {
    let stem: String = text.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '*')).collect();
    let rest = &text[stem.len()..];
    if !rest.starts_with('{') {
        return (vec![stem.trim_end_matches(':').to_owned()], stem.len());
    }
    let (mut all, mut at) = (Vec::new(), stem.len() + 1);
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([',', ' ', '\n']).len();
        if text[at..].starts_with('}') {
            return (all, at + 1);
        }
        let (inner, length) = expand(&text[at..]);
        assert!(length > 0, "cannot read {:?}", &text[at..text.len().min(at + 40)]);
        all.extend(inner.into_iter().map(|path| format!("{stem}{path}")));
        at += length;
    }
}

#[test]
fn groups_of_paths_are_written_out() {
    let code = "use crate::{a, b::{c, d::E},\n  f::g};\nlet x = crate::h::i(1); $crate::no; my_crate::no";
    assert_eq!(crate_paths(code), ["a", "b::c", "b::d::E", "f::g", "h::i"]);
}

#[test]
fn modules_use_only_what_their_table_says() {
    let mut used = BTreeSet::new();
    for source in sources("src", &["rs"]) {
        let from = module(&source.path);
        if matches!(from, "wasm" | "lib") {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(module, _)| *module == from)
            .unwrap_or_else(|| panic!("{from} is not in the table: say what it may use"));
        for path in crate_paths(&source.code).into_iter().filter(|path| !is_or_below(path, from)) {
            let edge = allowed.iter().find(|allowed| is_or_below(&path, allowed));
            let edge = edge.unwrap_or_else(|| panic!("{} uses crate::{path}", source.path));
            used.insert((from.to_owned(), *edge));
        }
    }
    for (from, allowed) in MAY_USE {
        for edge in allowed {
            assert!(used.contains(&(from.to_owned(), *edge)), "{from} no longer uses {edge}: take it off the table");
        }
    }
}

fn is_or_below(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn the_outside_is_named_at_the_border_only() {
    for source in sources("src", &["rs"]) {
        for (word, places) in ONLY_IN {
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            assert!(allowed || !source.code.contains(word), "{} names `{word}`", source.path);
        }
    }
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(lib.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn files_stay_readable_in_one_go() {
    for source in sources("src", &["rs"]) {
        let lines = source.code.lines().count();
        let exception = LONGER.iter().any(|(path, _)| *path == source.path);
        match exception {
            true => assert!(lines > LINES, "{} has {lines} lines: no exception needed", source.path),
            false => assert!(lines <= LINES, "{} has {lines} lines of code", source.path),
        }
    }
    for (path, _) in LONGER {
        assert!(root().join(path).exists(), "{path} is gone: no exception needed");
    }
}

#[test]
fn the_plugin_reaches_the_core_at_one_place_and_its_simulator_nowhere() {
    let mut importers = 0;
    for source in sources("plugin-js/src", &["ts", "tsx"]) {
        let path = source.path.strip_prefix("plugin-js/src/").unwrap();
        let test = path.contains(".test.");
        if source.code.contains("/pkg/") || source.code.contains("entra_access_core") {
            importers += 1;
            assert!(path.starts_with("core/"), "{} reaches into pkg", source.path);
        }
        for specifier in specifiers(&source.code) {
            // Tests may play with the simulated tenant; what is published may not.
            let simulator = specifier.split('/').any(|part| part == "dev") && specifier.starts_with('.');
            assert!(test || !simulator, "{} imports {specifier}", source.path);
        }
    }
    assert!(importers > 0, "nobody imports the core any more: look for its new name");
}

/// What is imported: the texts after `from`, `import(`, `import` and `require(`
fn specifiers(code: &str) -> Vec<&str> {
    ["from '", "from \"", "import('", "import(\"", "import '", "import \"", "require('", "require(\""]
        .into_iter()
        .flat_map(|start| code.match_indices(start).map(|(at, word)| &code[at + word.len()..]))
        .map(|rest| rest.split(['\'', '"']).next().unwrap_or_default())
        .collect()
}

#[test]
fn the_simulator_is_not_published() {
    let text = fs::read_to_string(root().join("plugin-js/package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = package["files"].as_array().expect("`files` says what is published");
    for file in files {
        let file = file.as_str().unwrap();
        assert!(!file.starts_with("dev") && !file.starts_with("./dev") && file != "." && file != "*", "{file}");
    }
}
