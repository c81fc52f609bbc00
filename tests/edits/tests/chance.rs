//! Some hundred edits by chance, over the `hot` of this workspace. `EDITS_STEPS` and `EDITS_SEED`
//! make longer runs.

/// They wait for one session: `.ci/test` runs them beside the others.
mod apart {
    use soft_mock_edits::{check_grammar, kinds, run, Options};
    use soft_mock_tests::{dice, folder, hot};

    #[test]
    fn what_hot_says_of_edits_is_true() {
        let steps = dice::rounds("EDITS_STEPS", 100);
        let summary = run(&Options {
            hot: hot::binary().to_owned(),
            steps,
            sessions: usize::MAX,
            seed: dice::rounds("EDITS_SEED", 1) as u64,
            release: false,
            only: Vec::new(),
            skip: Vec::new(),
            faults: folder::kept().join("edits"),
            tries: 4,
            verbose: false,
        });
        assert!(summary.faults.is_empty(), "{}", summary.text());
        // Whoever refuses everything does not pass. Not more: edits that nobody can patch are made
        // as well, and what was refused may stand in the files for some steps.
        assert!(3 * summary.patched > summary.steps, "{}", summary.text());
    }

    /// Each time all kinds, in other editions and crates, and with other choices of their knobs.
    #[test]
    fn programs_print_what_the_grammar_says() {
        let mut missing = kinds();
        for seed in 0..dice::rounds("EDITS_PROGRAMS", 3) {
            let tried = check_grammar(seed as u64).unwrap_or_else(|wrong| panic!("{wrong}"));
            missing.retain(|kind| !tried.contains(kind));
        }
        assert!(missing.is_empty(), "never tried: {missing:?}");
    }
}
