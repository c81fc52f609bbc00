mod watch;

use regex_automata::meta::Regex;

fn main() {
    let regex = Regex::new(r"(\w+)-(\d+)").expect("a valid expression");
    assert!(regex.is_match("soft-1"));
    let groups = regex.group_info();
    watch::run(|| groups.value());
}
