//! Managed plugins that are built again, one build at a time.
//!
//! An edit of a plugin that can't be patched doesn't restart anything: the plugin is built again,
//! and its host reloads it. Knows nothing of how plugins are built.

use crate::plugins::record::Rebuild;
use crate::session::engine::effect::Effect;
use crate::session::engine::jobs::Job;

/// Whether plugins are being built.
#[derive(Debug, Default)]
pub(crate) struct PluginBuilds {
    under_way: bool,
    /// Something changed meanwhile.
    again: bool,
}

impl PluginBuilds {
    /// These are to be built; if others are, whoever ends that is to look again.
    pub(crate) fn begin(&mut self, plugins: Vec<Rebuild>) -> Vec<Effect> {
        if self.under_way {
            self.again = true;
            return Vec::new();
        }
        self.under_way = true;
        vec![Effect::Start(Job::BuildPlugins(plugins))]
    }

    /// They were built, or not. Whether something changed meanwhile.
    pub(crate) fn end(&mut self) -> bool {
        std::mem::take(self).again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_build_at_a_time_and_nothing_is_lost() {
        let mut builds = PluginBuilds::default();
        assert_eq!(builds.begin(Vec::new()).len(), 1);
        assert!(builds.begin(Vec::new()).is_empty());
        assert!(builds.end(), "something changed meanwhile");
        assert_eq!(builds.begin(Vec::new()).len(), 1);
        assert!(!builds.end());
    }
}
