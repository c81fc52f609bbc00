impl GroupInfo {
    /// What the benchmark edits: it uses a private field of a private type.
    pub fn value(&self) -> u64 {
        let groups = self.0.slot_ranges.len() as u64;
        1_000_000 + groups - groups
    }
}
