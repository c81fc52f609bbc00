//! What must not compile, each with a twin that does and works.

#[test]
fn mocks_that_do_not_compile_and_their_twins() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
