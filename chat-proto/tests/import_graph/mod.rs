//! The import graph of a crate, for the tests of its architecture.
//!
//! In each folder the graph of its entries has no cycle: an entry is a file, or a folder with all its
//! files. The module file of the folder (`mod.rs`) is left out, because it declares the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

/// A module, by the names on the way to it: `["tui", "state"]`. The root of the crate is empty.
pub(crate) type Module = Vec<String>;

/// The nodes of a graph, and for each those that it depends on.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Reads the modules below `folder`: each with its text, without its unit tests.
fn read_modules(
    folder: &Path,
    module: &Module,
    modules: &mut BTreeMap<Module, String>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let own: Module = module.iter().chain([&name]).cloned().collect();
        if path.is_dir() && name != "tests" {
            read_modules(&path, &own, modules)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" {
            let text = fs::read_to_string(&path)?;
            let code: Vec<_> = text.lines().map(str::trim).collect();
            let end = code.iter().position(|line| *line == "#[cfg(test)]");
            let code = code.into_iter().take(end.unwrap_or(usize::MAX));
            let code = code.filter(|line| !line.starts_with("//"));
            let is_folder = matches!(&*name, "mod" | "lib");
            let code = code.collect::<Vec<_>>().join(" ");
            modules.insert(if is_folder { module.clone() } else { own }, code);
        }
    }
    Ok(())
}

/// Returns the paths of a `use` tree or of an expression, without braces: `a::{b, c}` is two paths.
fn expand(tree: &str) -> Vec<String> {
    let end = tree.find(|c: char| !c.is_alphanumeric() && !matches!(c, ':' | '_'));
    let (head, rest) = tree.split_at(end.unwrap_or(tree.len()));
    if !head.ends_with("::") || !rest.starts_with('{') {
        return vec![head.to_owned()];
    }
    let (mut paths, mut depth, mut start) = (Vec::new(), 0, 1);
    for (at, c) in rest.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 1 || depth == 0 {
            let inner = expand(rest[start..at].trim());
            paths.extend(inner.iter().map(|path| format!("{head}{path}")));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    paths
}

/// Returns the modules that `code` of `module` names by a path from `crate`, `super` or `self`.
pub(crate) fn dependencies(
    module: &Module,
    code: &str,
    modules: &BTreeMap<Module, String>,
) -> Vec<Module> {
    let mut found = Vec::new();
    for keyword in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(keyword) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | '_')) {
                continue;
            }
            for path in expand(&code[at..]) {
                let mut target = module.clone();
                for name in path.split("::") {
                    match name {
                        "crate" => target.clear(),
                        "super" => drop(target.pop()),
                        "self" => {}
                        name => target.push(name.to_owned()),
                    }
                }
                while !modules.contains_key(&target) {
                    target.pop();
                }
                found.push(target);
            }
        }
    }
    found
}

/// Returns a cycle that can be reached from `path`, if there is one.
fn cycle(graph: &Graph, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<String> {
    let last = path.last()?.clone();
    if let Some(first) = path[..path.len() - 1].iter().position(|node| *node == last) {
        return Some(path[first..].join(" -> "));
    }
    if done.contains(&last) {
        return None;
    }
    for next in graph.get(&last).into_iter().flatten() {
        path.push(next.clone());
        if let Some(found) = cycle(graph, path, done) {
            return Some(found);
        }
        path.pop();
    }
    done.insert(last);
    None
}

/// Returns the modules of the crate whose sources are in `source`, except its program and its tests.
pub(crate) fn modules_of(source: &Path) -> BTreeMap<Module, String> {
    let mut modules = BTreeMap::new();
    read_modules(source, &Module::new(), &mut modules).expect("the sources can be read");
    modules.remove(&vec!["main".to_owned()]);
    assert!(modules.len() > 50, "{} modules", modules.len());
    modules
}

/// Returns one import cycle of each folder that has one, except the folders in `exempt`.
pub(crate) fn cycles(modules: &BTreeMap<Module, String>, exempt: &[&str]) -> Vec<String> {
    let mut graphs: BTreeMap<Module, Graph> = BTreeMap::new();
    for (module, code) in modules {
        for target in dependencies(module, code, modules) {
            let common = module
                .iter()
                .zip(&target)
                .take_while(|(a, b)| a == b)
                .count();
            let folder = module[..common].to_vec();
            // Within the root of the crate only, its module file is an entry as well.
            let entry = |of: &Module| match of.get(common) {
                None if common == 0 => Some("lib".to_owned()),
                name => name.cloned(),
            };
            if let (Some(from), Some(to), true) = (entry(module), entry(&target), *module != target)
            {
                graphs
                    .entry(folder)
                    .or_default()
                    .entry(from)
                    .or_default()
                    .insert(to);
            }
        }
    }
    assert!(!graphs.is_empty(), "no imports");
    graphs
        .iter()
        .filter(|(folder, _)| !exempt.contains(&&*folder.join("/")))
        .flat_map(|(folder, graph)| {
            let find = |node: &String| cycle(graph, &mut vec![node.clone()], &mut BTreeSet::new());
            let name = folder.join("/");
            graph
                .keys()
                .find_map(find)
                .map(|cycle| format!("src/{name}: {cycle}"))
        })
        .collect()
}
