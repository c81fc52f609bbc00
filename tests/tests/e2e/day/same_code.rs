//! Edits after which the code is what runs already, and edits that are no code: nothing is installed
//! for them, and a rollback takes back what was.

use soft_mock_tests::project::Save;

use super::{with, Day, Way, FILE, SCALED};

/// Numbers of the patches in the history.
fn patches(day: &Day) -> usize {
    let (history, _) = day.project.hot_to_end(&["history"]);
    let is_patch = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
    history.lines().filter(is_patch).count()
}

/// Saves a text of which nothing comes that differs from what runs.
fn save_in_vain(day: &mut Day, text: &str) {
    let before = patches(day);
    day.project.save(Save::InPlace, FILE, text);
    let said = "value of const UNIT changed: nothing that runs uses it";
    day.session.wait_for_stderr(said);
    assert_eq!(patches(day), before);
}

#[test]
fn an_edit_that_comes_to_the_same_code() {
    let mut day = Day::scaled("");
    let larger = with(SCALED, &[("u64 = 10", "u64 = 100")]);
    day.save(&larger, "account of ada: 200m1", Way::WholeCrate);
    // The only patch is of whole crates.
    let sum = with(&larger, &[("u64 = 100", "u64 = 60 + 40")]);
    save_in_vain(&mut day, &sum);
    // A body that was compiled alone, to which the constant doesn't get.
    let wallet = with(&sum, &[("account of", "wallet of")]);
    day.save(&wallet, "wallet of ada: 300m1", Way::Micro);
    let product = with(&wallet, &[("60 + 40", "2 * 50")]);
    save_in_vain(&mut day, &product);
    // Taken back is what was patched last, and for good, whatever came to nothing since.
    day.rollback("account of ada: 400m1");
    let larger_mark = with(&product, &[("m{n}", "M{n}")]);
    day.save(&larger_mark, "wallet of ada: 500M1", Way::WholeCrate);
    // One to which it gets: it is compiled with it, and so it is new.
    let direct = with(&larger_mark, &[("account.owner())", "UNIT)")]);
    day.save(&direct, "wallet of 100: 600M1", Way::WholeCrate);
    let other = with(&direct, &[("2 * 50", "2 * 60")]);
    day.save(&other, "wallet of 120: 840M1", Way::WholeCrate);
    save_in_vain(&mut day, &with(&other, &[("2 * 60", "120")]));
    day.rollback("wallet of 100: 800M1");
    day.save(SCALED, "account of ada: 90m1", Way::Nothing);
}

#[test]
fn a_rollback_beside_a_comment() {
    let mut day = Day::scaled("");
    let wallet = with(SCALED, &[("account of", "wallet of")]);
    day.save(&wallet, "wallet of ada: 20m1", Way::Micro);
    let commented = wallet + "// A comment.\n";
    day.project.save(Save::InPlace, FILE, &commented);
    day.rollback("account of ada: 30m1");
    let file = "src/account.rs";
    let original = day.project.read(file);
    let named = with(
        &original,
        &[("&self.owner", "self.owner.trim_end_matches('a')")],
    );
    day.save_file(file, &named, "account of ad: 40m1", Way::Micro);
}
