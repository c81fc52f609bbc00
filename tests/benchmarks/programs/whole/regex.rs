//! Searches of a text with the meta engine and with PikeVM, and regexes compiled.

mod clock;

use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::pikevm::PikeVM;

const PATTERNS: [&str; 4] = [
    r"\w+@\w+\.com",
    r"(\d{4})-(\d{2})-(\d{2})",
    r"Sherlock|Holmes|Watson",
    r"[a-z]+\d+ \w+",
];

fn main() {
    let line = |i: usize| {
        format!("line {i} some text foo{} bar@example.com 2024-0{}-11 Sherlock Holmes\n", i % 7, i % 9 + 1)
    };
    let text: String = (0..500).map(line).collect();
    clock::run(|| {
        let mut found = 0;
        for pattern in PATTERNS {
            found += Regex::new(pattern).unwrap().find_iter(&text).count();
        }
        for number in 0..3 {
            let regex = Regex::new(&format!(r"(\w+)\s{number}(\d+)[a-z]{{3,9}}")).unwrap();
            found += usize::from(regex.is_match(&text[..100]));
        }
        let slow = PikeVM::new(r"(\w+)@(\w+)\.com").unwrap();
        let mut cache = slow.create_cache();
        found += slow.find_iter(&mut cache, &text[..10_000]).count();
        found as u64
    });
}
