//! All interleavings of a mock's life.

use std::sync::Arc;

use loom::thread;
use soft_mock_models::mock::{Life, Node};

/// The thread that makes the mocks.
const OWNER: usize = 1;

fn freed(life: &Life) -> bool {
    // SAFETY: loom checks that nobody writes.
    life.freed.with(|freed| unsafe { *freed })
}

#[test]
fn two_calls_and_the_end_of_the_mock() {
    loom::model(|| {
        let (node, life) = (Arc::new(Node::new()), Arc::new(Life::default()));
        let guard = node.publish(1, OWNER, &life).expect("it is free");
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let node = node.clone();
                thread::spawn(move || node.call(1))
            })
            .collect();
        assert!(guard.give_up());
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
        let guard = node.publish(1, OWNER, &first).expect("it is free");
        let caller = {
            let node = node.clone();
            thread::spawn(move || node.call(1))
        };
        assert!(guard.give_up());
        let again = node.publish(2, OWNER, &second);
        let was_free = again.is_some();
        if let Some(guard) = again {
            assert!(node.call(2));
            assert!(guard.give_up());
        }
        caller.join().expect("a caller");
        assert!(freed(&first));
        assert_eq!(freed(&second), was_free);
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
        let guard = node.publish(1, OWNER, &life).expect("it is free");
        caller.join().expect("a caller");
        assert!(guard.give_up());
        assert!(freed(&life));
    });
}

#[test]
fn the_owner_calls_while_another_thread_resets_and_calls() {
    loom::model(|| {
        let (node, life) = (Arc::new(Node::new()), Arc::new(Life::default()));
        let guard = node.publish(1, OWNER, &life).expect("it is free");
        let other = {
            let node = node.clone();
            thread::spawn(move || {
                node.call(1);
                node.retire()
            })
        };
        node.own_call(OWNER, || ());
        node.own_call(OWNER, || ());
        assert!(!freed(&life), "it has an owner");
        let here = guard.give_up();
        assert_ne!(other.join().expect("the other"), here);
        assert!(freed(&life));
    });
}

#[test]
fn the_guard_goes_in_the_middle_of_a_call() {
    loom::model(|| {
        let (node, life) = (Arc::new(Node::new()), Arc::new(Life::default()));
        let guard = node.publish(1, OWNER, &life).expect("it is free");
        let other = {
            let node = node.clone();
            thread::spawn(move || node.call(1))
        };
        let inside = || {
            node.own_call(OWNER, || assert!(guard.give_up()));
        };
        assert!(node.own_call(OWNER, inside));
        other.join().expect("the other");
        assert!(freed(&life));
        assert!(!node.own_call(OWNER, || ()));
    });
}

#[test]
fn a_node_that_another_thread_uses_again_is_no_longer_mine() {
    loom::model(|| {
        let (node, first, second) = (
            Arc::new(Node::new()),
            Arc::new(Life::default()),
            Arc::new(Life::default()),
        );
        let guard = node.publish(1, OWNER, &first).expect("it is free");
        assert!(guard.give_up());
        let other = {
            let (node, second) = (node.clone(), second.clone());
            thread::spawn(move || {
                let guard = node.publish(2, OWNER + 1, &second).expect("it is free");
                node.own_call(OWNER + 1, || ());
                assert!(guard.give_up());
            })
        };
        assert!(!node.own_call(OWNER, || ()));
        other.join().expect("the other");
        assert!(freed(&first) && freed(&second));
    });
}
