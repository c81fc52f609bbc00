//! The manifest of a patch as it is written and read.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{FORMAT, PATCH};

/// A plugin's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format, [`FORMAT`].
    pub format: u32,
    /// What the plugin is for, [`PATCH`].
    pub kind: String,
    /// The compiler that built it, as the first line of `rustc -V` names it.
    pub rustc: String,
    /// The unit that it was built for, in 16 hexadecimal digits.
    pub unit: String,
    /// The name of that unit's crate.
    #[serde(rename = "crate")]
    pub crate_name: String,
    /// The replacements.
    pub functions: Vec<Function>,
}

/// A replacement that a plugin carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The name of the function's site.
    pub name: String,
    /// The signature that the replacement was compiled with, as sites carry it.
    pub signature: String,
    /// The symbol of the replacement.
    pub symbol: String,
    /// The symbol of a function that compares the site's type with the replacement's:
    /// `extern "C" fn(fn() -> TypeId) -> u8`, 1 if they are the same.
    #[serde(default)]
    pub check: Option<String>,
    /// The file that the replacement comes from, as the user knows it.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// The program has no site for it: the symbol of the [`LateCell`](crate::late::LateCell) of
    /// the one that it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<String>,
    /// The program has no function of it either, plugins bring it: the symbol of a function
    /// `fn() -> TypeId` that says the type which all of them have to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_id: Option<String>,
    /// Such a function in code of whole crates: the symbol of the site that this asks, which is to
    /// do what the one does that all plugins have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<String>,
}

/// A manifest that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It isn't a manifest at all.
    #[error("its manifest can't be read: {0}")]
    Syntax(serde_json::Error),
    /// It is of another version.
    #[error(
        "its manifest has format {found}, this program reads format {FORMAT}: \
         build plugin and program with one version of soft-mock"
    )]
    Format {
        /// The version that was found.
        found: u32,
    },
    /// The plugin is for something else.
    #[error("it is a plugin of kind `{found}`; only `{PATCH}` can be installed this way")]
    Kind {
        /// The kind that was found.
        found: String,
    },
    /// The plugin has no life cycle.
    #[error("it is a plugin of kind `{found}`, not a managed one: `hot build` makes those")]
    NotManaged {
        /// The kind that was found.
        found: String,
    },
    /// It names no unit.
    #[error(
        "its manifest names the unit `{found}`, which isn't a number of 16 hexadecimal digits"
    )]
    Unit {
        /// What stands there.
        found: String,
    },
    /// It carries no replacement.
    #[error("it carries no function")]
    Nothing,
}

impl From<serde_json::Error> for ManifestError {
    fn from(cause: serde_json::Error) -> Self {
        Self::Syntax(cause)
    }
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    kind: String,
}

impl Manifest {
    /// Reads a manifest from the bytes of its section.
    pub fn parse(section: &[u8]) -> Result<Self, ManifestError> {
        let padding = section.iter().rev().take_while(|byte| **byte == 0).count();
        let text = &section[..section.len() - padding];
        // The head first: what follows may look different in another version.
        let head: Head = serde_json::from_slice(text)?;
        if head.format != FORMAT {
            return Err(ManifestError::Format { found: head.format });
        }
        if head.kind != PATCH {
            return Err(ManifestError::Kind { found: head.kind });
        }
        let manifest: Self = serde_json::from_slice(text)?;
        manifest.unit_id()?;
        match manifest.functions.is_empty() {
            true => Err(ManifestError::Nothing),
            false => Ok(manifest),
        }
    }

    /// The unit as a number.
    pub fn unit_id(&self) -> Result<u64, ManifestError> {
        parse_unit(&self.unit).ok_or_else(|| ManifestError::Unit {
            found: self.unit.clone(),
        })
    }
}

/// Reads a unit from its 16 hexadecimal digits.
pub fn parse_unit(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(replace: &str, by: &str) -> String {
        let good = r#"{"format":1,"kind":"patch","rustc":"rustc 1","unit":"00000000000000af","crate":"app","functions":[{"name":"app::f","signature":"fn()","symbol":"s","check":null,"file":"src/main.rs","line":3}]}"#;
        good.replace(replace, by)
    }

    #[test]
    fn reads_what_it_writes() {
        let manifest = Manifest::parse(text("", "").as_bytes()).expect("a manifest");
        assert_eq!(manifest.unit_id().ok(), Some(0xaf));
        let mut written = serde_json::to_vec(&manifest).expect("JSON");
        written.extend([0, 0, 0]);
        assert_eq!(Manifest::parse(&written).expect("a manifest"), manifest);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let check = |replace, by, expected: &str| {
            let error = Manifest::parse(text(replace, by).as_bytes()).expect_err("an error");
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(
            "\"format\":1",
            "\"format\":2,\"new\":{}",
            "format 2, this program reads format 1",
        );
        check("\"patch\"", "\"managed\"", "kind `managed`");
        check("00000000000000af", "+0000000000000af", "`+0000000000000af`");
        check("00000000000000af", "af", "`af`");
        check("\"line\":3", "\"line\":\"x\"", "can't be read");
        check("{\"format\"", "[", "can't be read");
        let start = text("", "").find('[').expect("functions");
        let empty = format!("{}[]}}", &text("", "")[..start]);
        assert!(matches!(
            Manifest::parse(empty.as_bytes()),
            Err(ManifestError::Nothing)
        ));
        assert!(matches!(
            Manifest::parse(b""),
            Err(ManifestError::Syntax(_))
        ));
    }
}
