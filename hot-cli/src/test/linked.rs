//! What of its crates a test binary holds: of a library, the linker takes the parts that are used.
//!
//! Whatever code of a function is in a binary refers to its site. So without the site, no test of
//! that binary enters it. Knows nothing of what is edited.

use soft_mock_compiled::library::DynamicSymbols;
use soft_mock_compiled::symbols::{demangled, is_rust};

/// Whether nothing of a function is among the symbols of a binary that has no site of it: what
/// could be it is taken for it.
pub(super) fn is_absent(site: &str, symbols: &DynamicSymbols) -> bool {
    let Some(name) = names(site).last() else {
        return false;
    };
    let is_it = |symbol: &String| match is_rust(symbol) {
        // The newer mangling has names as they are.
        true if symbol.contains(name) => {
            let path = demangled(symbol);
            names(site).all(|name| names(&path).any(|other| other == name))
        }
        true => false,
        false => symbol == name,
    };
    !symbols.defined.iter().any(is_it)
}

/// The names in a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    let names = path.split(|char: char| !char.is_alphanumeric() && char != '_');
    names.filter(|name| !name.is_empty() && *name != "as")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_function_is_taken_for_it() {
        let defined = [
            "_RNvNtCs1234_3one4calc3add",
            "_RNvXNtCs1234_3one4calcNtB2_3SumNtNtCs5678_4core3fmt7Display3fmt",
            "plain",
        ];
        let symbols = DynamicSymbols {
            defined: defined.map(str::to_owned).into(),
            ..DynamicSymbols::default()
        };
        for (site, absent) in [
            ("one::calc::add", false),
            ("one::other::add", true),
            ("one::calc::sub", true),
            ("<one::calc::Sum as Display>::fmt", false),
            ("<one::calc::Other as Display>::fmt", true),
            ("two::plain", false),
        ] {
            assert_eq!(is_absent(site, &symbols), absent, "{site}");
        }
    }
}
