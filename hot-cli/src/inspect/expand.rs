//! `hot expand`: a file as `hot` gives it to the compiler.

use std::path::Path;

use anyhow::{bail, Context, Result};
use soft_mock_rewriter::instrument::SUPPORT_MODULE;

use super::args::ExpandArgs;
use super::crates::of_project;

/// The rewritten text of a file; formatted, and without the support module, unless it is wanted
/// raw.
pub(crate) fn expand(args: &ExpandArgs) -> Result<String> {
    let file = &args.path;
    let failed = || format!("can't read {}", file.display());
    let file = file.canonicalize().with_context(failed)?;
    let manifest = file
        .ancestors()
        .map(|folder| folder.join("Cargo.toml"))
        .find(|manifest| manifest.is_file())
        .with_context(|| format!("{} is in no project of cargo's", file.display()))?;
    for krate in of_project(Some(&manifest), true, &[])? {
        let sources = krate.read()?;
        if let Some(error) = sources
            .tree
            .errors
            .iter()
            .find(|error| is(&error.path, &file))
        {
            bail!("{error}");
        }
        let mut files = sources.rewritten.files.iter();
        let Some((_, text)) = files.find(|(path, _)| is(path, &file)) else {
            continue;
        };
        if let Some(why) = krate.unfit {
            bail!("`{}` isn't rewritten: {why}", krate.name);
        }
        return match args.raw {
            true => Ok(text.clone()),
            false => formatted(text).with_context(failed),
        };
    }
    bail!(
        "no crate of this project has {} as a source file",
        file.display()
    )
}

fn is(path: &Path, file: &Path) -> bool {
    path == file || path.canonicalize().is_ok_and(|path| path == file)
}

fn formatted(text: &str) -> Result<String> {
    let mut file = syn::parse_file(text)?;
    file.items
        .retain(|item| !matches!(item, syn::Item::Mod(module) if module.ident == SUPPORT_MODULE));
    Ok(prettyplease::unparse(&file))
}
