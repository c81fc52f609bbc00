//! What is said in the program of functions without a site, so that a mock of one fails with the
//! reason.
//!
//! ```text
//! #[used] #[link_section = …] static R7: Site = Site::new(32, "app::SIZE", "src/lib.rs", 4, "it is a const fn", None);
//! ```

use soft_mock_abi::site::flag::REFUSED;
use soft_mock_abi::site::UNNAMED;

use crate::analysis::eligibility::Ineligible;
use crate::analysis::function_info::FunctionInfo;
use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;

/// The sites for functions that have none of their own.
pub(crate) fn support(edition: Edition, functions: &[FunctionInfo]) -> String {
    let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
    let mut text = String::new();
    for (position, function) in functions.iter().enumerate() {
        let Err(why) = function.kind else { continue };
        if why == Ineligible::Test {
            continue;
        }
        text.push_str(&format!(
            "#[used] {section} static R{position}: Site = Site::new({REFUSED}, {:?}, \"\", {}, {:?}, Option::None);\n",
            function.name,
            function.line,
            format!("{why}"),
        ));
    }
    text
}

/// What stands for all functions that nothing names where mocks are made: a list of them.
pub(crate) fn unnamed(edition: Edition, krate: &str, functions: &[String]) -> String {
    if functions.is_empty() {
        return String::new();
    }
    let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
    format!(
        "#[used] {section} static UNNAMED: Site = Site::new({REFUSED}, {:?}, \"\", 0, {:?}, Option::None);\n",
        format!("{krate}{UNNAMED}"),
        functions.join("\n"),
    )
}
