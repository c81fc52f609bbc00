//! What a method of a double does that no mock has taken the place of. Knows nothing of mocks.

/// Fails. `of` is the double, its trait and the method, `place` where the test has made the double.
///
/// # Panics
/// Always.
#[cold]
#[track_caller]
pub fn unexpected(of: [&str; 3], place: &str, arguments: impl FnOnce() -> Vec<String>) -> ! {
    let [ty, of, method] = of;
    let arguments = arguments().join(", ");
    panic!(
        "nothing is expected of `<{ty} as {of}>::{method}`, and it was called\n    call: {method}({arguments})\n  \
         double: {place}\nexpect it, `mock!(<{ty} as {of}>::{method}, |…| …)`, or give it a body"
    );
}
