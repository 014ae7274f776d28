//! Which module of the source uses which other one, read from its `use` declarations and paths.

use std::collections::BTreeMap;

/// The names from the root to a module or an item: `["alert", "escape", "markdown"]`.
pub(super) type Path = Vec<String>;

/// The modules of a crate, by path, with their code.
pub(super) struct Modules {
    code: BTreeMap<Path, String>,
    /// What a module brings in by name, and where that comes from.
    imported: BTreeMap<Path, Path>,
}

impl Modules {
    /// Of files, by their path below `src/`. Unit tests are left out: they may look anywhere.
    pub(super) fn read<'a>(files: impl IntoIterator<Item = (&'a std::path::Path, &'a str)>) -> Self {
        let mut code = BTreeMap::new();
        for (file, source) in files {
            let mut path: Path = file.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            path.pop_if(|name| name == "mod");
            if !path.iter().any(|name| name == "tests") {
                code.insert(path, code_of(source));
            }
        }
        let imported = code.iter().flat_map(|(module, source)| {
            declarations(source).1.into_iter().filter_map(|path| {
                let from = absolute(module, &path, &code)?;
                let name = [&module[..], &[from.last()?.clone()]].concat();
                (name != from).then_some((name, from))
            })
        });
        Self { imported: imported.collect(), code }
    }

    /// Each use of another module: the user, and the module in which the thing is declared.
    pub(super) fn uses(&self) -> Vec<(&Path, &Path)> {
        let mut uses = Vec::new();
        for (module, source) in &self.code {
            let (rest, declared) = declarations(source);
            for path in declared.into_iter().chain(inline_paths(&rest)) {
                let used = absolute(module, &path, &self.code).and_then(|path| self.home_of(&path));
                uses.extend(used.filter(|used| *used != module).map(|used| (module, used)));
            }
        }
        uses
    }

    /// The module in which the thing at a path is declared: what others re-export is followed.
    fn home_of(&self, path: &[String]) -> Option<&Path> {
        let mut path = path.to_vec();
        // No name is handed on more often.
        for _ in 0..8 {
            let known = (1..=path.len()).rev().find(|length| self.code.contains_key(&path[..*length]))?;
            match path.get(..=known).and_then(|name| self.imported.get(name)) {
                Some(from) => path = [&from[..], &path[known + 1..]].concat(),
                None => return self.code.get_key_value(&path[..known]).map(|(module, _)| module),
            }
        }
        None
    }
}

/// A file's code without comments and unit tests.
fn code_of(source: &str) -> String {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The code without its `use` declarations, and the paths in those, groups written out.
fn declarations(code: &str) -> (String, Vec<String>) {
    let (mut rest, mut paths) = (String::new(), Vec::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let tree = ["", "pub ", "pub(crate) ", "pub(super) "]
            .into_iter()
            .find_map(|visibility| line.trim_start().strip_prefix(visibility)?.strip_prefix("use "));
        let Some(tree) = tree else {
            rest.extend([line, "\n"]);
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().expect("a declaration ends"));
        }
        paths.extend(written_out(tree.split(';').next().unwrap_or_default()));
    }
    (rest, paths)
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d` and `a::c::e`.
fn written_out(tree: &str) -> Vec<String> {
    let Some((before, group)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let group = group.trim_end().strip_suffix('}').expect("a group ends");
    let mut depth = 0;
    let items = group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let items = items.map(str::trim).filter(|item| !item.is_empty());
    items.flat_map(|item| written_out(&format!("{}{item}", before.trim()))).collect()
}

/// Paths from the root or the parent in the midst of code.
fn inline_paths(code: &str) -> Vec<String> {
    let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words =
        code.split(|c| !is_of_path(c)).filter(|word| ["crate::", "super::"].iter().any(|root| word.starts_with(root)));
    words.map(str::to_owned).collect()
}

/// A path from the root; `None` for other crates.
fn absolute(module: &[String], path: &str, modules: &BTreeMap<Path, String>) -> Option<Path> {
    let mut names: Vec<&str> = path.split("::").map(str::trim).filter(|name| !name.is_empty()).collect();
    let mut base = module;
    if names.first() == Some(&"crate") {
        (base, names) = (&[], names.split_off(1));
    } else if names.first() == Some(&"self") {
        names.remove(0);
    } else if names.first() == Some(&"super") {
        while names.first() == Some(&"super") {
            base = base.split_last()?.1;
            names.remove(0);
        }
    } else if !modules.contains_key(&[module, &[names.first()?.to_string()]].concat()) {
        return None;
    }
    Some(base.iter().cloned().chain(names.into_iter().map(str::to_owned)).collect())
}
