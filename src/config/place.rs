//! Where in a JSON text a mistake is: as a path, because its line and column mean nothing to who wrote YAML

/// A step of a path
enum Step {
    Member(String),
    Element(usize),
}

/// The path of what `serde_json` was reading at a line and column (both from 1), such as `tenants[0].tenantId`; empty for the root
///
/// The text is known to be well-formed up to that place.
pub fn path_at(json: &str, line: usize, column: usize) -> String {
    let before: usize = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = before.saturating_add(column);
    let mut walk = Walk::default();
    let mut bytes = json.bytes().enumerate().take(end);
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let text = string(&mut bytes.by_ref().map(|(_, byte)| byte));
                walk.string(text);
            }
            b'{' => walk.open(None),
            b'[' => walk.open(Some(0)),
            b'}' | b']' => walk.close(),
            b',' => walk.comma(),
            b':' => walk.colon(),
            _ => {}
        }
    }
    walk.path()
}

/// The rest of a string up to its closing quote
fn string(bytes: &mut impl Iterator<Item = u8>) -> String {
    let mut raw = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => raw.extend([byte].into_iter().chain(bytes.next())),
            _ => raw.push(byte),
        }
    }
    String::from_utf8_lossy(&raw).into_owned()
}

/// An open object or array: the step to what is read inside, if that has begun
struct Level {
    array: bool,
    step: Option<Step>,
    awaits_value: bool,
}

#[derive(Default)]
struct Walk {
    levels: Vec<Level>,
}

impl Walk {
    fn open(&mut self, first: Option<usize>) {
        self.levels.push(Level { array: first.is_some(), step: first.map(Step::Element), awaits_value: false });
    }

    fn close(&mut self) {
        self.levels.pop();
    }

    fn comma(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.awaits_value = false;
            level.step = match level.step.take() {
                Some(Step::Element(at)) => Some(Step::Element(at.saturating_add(1))),
                _ => None,
            };
        }
    }

    fn colon(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.awaits_value = true;
        }
    }

    /// A string is a name in an object before its colon, and a value everywhere else
    fn string(&mut self, text: String) {
        if let Some(level) = self.levels.last_mut()
            && !level.array
            && !level.awaits_value
        {
            level.step = Some(Step::Member(text));
        }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.levels.iter().filter_map(|level| level.step.as_ref()) {
            match step {
                Step::Member(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Step::Element(at) => {
                    path.push('[');
                    path.push_str(&at.to_string());
                    path.push(']');
                }
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_path() {
        let json = r#"{"a":[{"b":1,"c":"x,y]"},{"d\"e":{"f":[[],2]}}],"g":0}"#;
        for (found, path) in [
            (r#"{"a""#, "a"),
            (r#"{"a":[{"b":1"#, "a[0].b"),
            (r#"{"a":[{"b":1,"c":"x,y]""#, "a[0].c"),
            (r#"{"a":[{"b":1,"c":"x,y]"}"#, "a[0]"),
            (r#"{"a":[{"b":1,"c":"x,y]"},{"d\"e":{"f":[[]"#, r#"a[1].d\"e.f[0]"#),
            (r#"{"a":[{"b":1,"c":"x,y]"},{"d\"e":{"f":[[],2"#, r#"a[1].d\"e.f[1]"#),
            (r#"{"a":[{"b":1,"c":"x,y]"},{"d\"e":{"f":[[],2]}}]"#, "a"),
            (json, ""),
        ] {
            assert!(json.starts_with(found));
            assert_eq!(path_at(json, 1, found.len()), path, "{found}");
            let lines = format!("\n\n{json}");
            assert_eq!(path_at(&lines, 3, found.len()), path, "{found}");
        }
    }
}
