//! All interleavings of a mock's life.

use std::sync::Arc;

use loom::thread;
use soft_mock_models::mock::{Life, Node};

fn freed(life: &Life) -> bool {
    // SAFETY: loom checks that nobody writes.
    life.freed.with(|freed| unsafe { *freed })
}

#[test]
fn two_calls_and_the_end_of_the_mock() {
    loom::model(|| {
        let (node, life) = (Arc::new(Node::new()), Arc::new(Life::default()));
        assert!(node.publish(1, &life));
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let node = node.clone();
                thread::spawn(move || node.call(1))
            })
            .collect();
        assert!(node.retire());
        for caller in callers {
            caller.join().expect("a caller");
        }
        assert!(freed(&life), "whoever came last frees it");
    });
}

#[test]
fn a_node_that_is_used_again_is_not_mistaken() {
    loom::model(|| {
        let (node, first, second) = (
            Arc::new(Node::new()),
            Arc::new(Life::default()),
            Arc::new(Life::default()),
        );
        assert!(node.publish(1, &first));
        let caller = {
            let node = node.clone();
            thread::spawn(move || node.call(1))
        };
        assert!(node.retire());
        let again = node.publish(2, &second);
        if again {
            assert!(node.call(2));
            assert!(node.retire());
        }
        caller.join().expect("a caller");
        assert!(freed(&first));
        assert_eq!(freed(&second), again);
    });
}

#[test]
fn publishing_is_seen_whole() {
    loom::model(|| {
        let (node, life) = (Arc::new(Node::new()), Arc::new(Life::default()));
        let caller = {
            let node = node.clone();
            thread::spawn(move || node.call(1))
        };
        assert!(node.publish(1, &life));
        caller.join().expect("a caller");
        assert!(node.retire());
        assert!(freed(&life));
    });
}
