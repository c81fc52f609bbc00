//! The condition of a prologue: whether the site is used at all.
//!
//! ```text
//! if let Some(code) = SITE.code() { … }                                        PrologueCheck::Atomic
//! asm!("mov SITE@GOTPCREL, %r", "cmp 0, (%r)", "jne used", used = { … })         PrologueCheck::Assembly
//! ```
//!
//! Where nothing is optimised, `AtomicPtr::load` is a call of several functions, which took longer
//! than most bodies. Written in assembly it is two loads and one jump.
//!
//! # Ordering
//! The hook is loaded with Acquire. On x86-64 every load is, so the assembly has to keep only the
//! compiler from moving the body's own loads before it: it doesn't promise to leave memory alone
//! (no `nomem`, no `readonly`). Who finds the hook used reads it once more, by `Site::code`; what
//! stands behind it is reached through that load alone.
//!
//! # Linking
//! The address of the site comes from the global offset table: that works wherever the site is, in
//! the same object, in another crate, behind the border of a shared library. Linkers make a `lea`
//! of it where they can.
//!
//! Knows nothing of compilers: whoever asks for assembly knows that this one takes it.

use soft_mock_abi::symbol::SITE;

/// How a prologue finds out that its site is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrologueCheck {
    /// By an atomic load, which every compiler knows, for every machine.
    #[default]
    Atomic,
    /// In assembly, for x86-64 with a compiler that knows `label` operands (1.87).
    Assembly,
    /// As the crate's own `cfg` says; for a compiler that knows `label` operands.
    ByCfg,
}

/// When assembly is the better choice and possible.
const CFG: &str =
    "all(target_arch = \"x86_64\", target_pointer_width = \"64\", debug_assertions, not(miri))";

/// What only is done if the site is used: `atomic` asks for that itself, `used` doesn't.
pub(crate) fn when_used(check: PrologueCheck, core: &str, atomic: &str, used: &str) -> String {
    let assembly = || {
        format!(
            "unsafe {{ {core}::arch::asm!(\"mov {{0}}, qword ptr [rip + {{1}}@GOTPCREL]\", \
             \"cmp qword ptr [{{0}}], 0\", \"jne {{2}}\", out(reg) _, sym {SITE}, \
             label {{ {used} }}, options(nostack)) }}"
        )
    };
    match check {
        PrologueCheck::Atomic => atomic.to_owned(),
        PrologueCheck::Assembly => assembly(),
        PrologueCheck::ByCfg => format!(
            "#[cfg({CFG})] {{ {} }} #[cfg(not({CFG}))] {{ {atomic} }}",
            assembly()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assembly_keeps_memory_in_order() {
        let text = when_used(PrologueCheck::Assembly, "::core", "", "used()");
        assert!(text.contains("label { used() }"), "{text}");
        assert!(
            !text.contains("nomem") && !text.contains("readonly"),
            "{text}"
        );
    }

    #[test]
    fn one_of_two_is_compiled_by_cfg() {
        let text = when_used(PrologueCheck::ByCfg, "::core", "atomic()", "used()");
        let block = syn::parse_str::<syn::Block>(&format!("{{ {text} }}"));
        assert_eq!(block.expect("two blocks").stmts.len(), 2);
    }
}
