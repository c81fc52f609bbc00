//! Which parts of a function's frame nothing but the function's own instructions gets to: where the
//! compiler puts a register's value aside and takes it up again.
//!
//! ```text
//! mov %rax, 32(%rsp) … mov 32(%rsp), %rax      put aside
//! lea 96(%rsp), %rdi; call g                   an object that g may read: what lies above 96
//! ```
//!
//! Knows nothing of what is put there.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};

/// A part of the frame: the register that it is counted from, the distance and the size.
pub(super) type Slot = (Register, i64, i64);

/// How a function's code uses its frame.
pub(super) struct Frame {
    /// RBP is where it starts.
    has_pointer: bool,
    /// Distances are the same everywhere.
    is_fixed: bool,
    /// Parts from which on others may read and write: they get an address of it.
    shown: Vec<(Register, i64)>,
    /// Some of it is reached in ways that aren't followed.
    is_open: bool,
}

impl Frame {
    pub(super) fn of(code: &[Instruction]) -> Self {
        let sets = |instruction: &Instruction| {
            instruction.mnemonic() == Mnemonic::Mov
                && (instruction.op0_register(), instruction.op1_register())
                    == (Register::RBP, Register::RSP)
        };
        let opens = |instruction: &&Instruction| {
            let grows = instruction.op0_register() == Register::RSP
                && instruction.mnemonic() == Mnemonic::Sub;
            grows || sets(instruction) || instruction.mnemonic() == Mnemonic::Push
        };
        let start = code.iter().take_while(opens).count();
        let mut frame = Self {
            has_pointer: code.iter().take(3).any(sets),
            is_fixed: !code[start..].iter().any(|instruction| opens(&instruction)),
            shown: Vec::new(),
            is_open: false,
        };
        for instruction in code {
            frame.look(instruction);
        }
        frame
    }

    fn is_base(&self, register: Register) -> bool {
        register == Register::RSP || (register == Register::RBP && self.has_pointer)
    }

    fn look(&mut self, instruction: &Instruction) {
        let operands = 0..instruction.op_count();
        let is_register = |at: &u32| instruction.op_kind(*at) == OpKind::Register;
        let writes_base =
            instruction.op0_kind() == OpKind::Register && self.is_base(instruction.op0_register());
        let mut others = operands.filter(is_register).skip_while(|at| *at == 0);
        let copies = others.any(|at| self.is_base(instruction.op_register(at).full_register()));
        if copies && !writes_base {
            self.is_open = true;
        }
        let base = instruction.memory_base();
        if !self.is_base(base) {
            return;
        }
        if instruction.memory_index() != Register::None {
            self.is_open = true;
        } else if instruction.mnemonic() == Mnemonic::Lea && !writes_base {
            let distance = instruction.memory_displacement64() as i64;
            self.shown.push((base, distance));
        }
    }

    /// The part of the frame that an instruction refers to.
    pub(super) fn slot(&self, instruction: &Instruction) -> Option<Slot> {
        let base = instruction.memory_base();
        let size = instruction.memory_size().size().max(1) as i64;
        let is_plain = self.is_base(base) && instruction.memory_index() == Register::None;
        is_plain.then(|| (base, instruction.memory_displacement64() as i64, size))
    }

    /// Whether nobody else gets to a part: an object begins at its address, so what lies below all
    /// addresses that are handed on belongs to none of those.
    pub(super) fn is_private(&self, (base, start, size): Slot) -> bool {
        let is_above =
            |(other, distance): &(Register, i64)| *other == base && start + size <= *distance;
        self.is_fixed && !self.is_open && self.shown.iter().all(is_above)
    }
}

/// Whether an instruction takes all of a part of the frame up again: into a register, or as what it
/// calls.
pub(super) fn takes_up(instruction: &Instruction) -> bool {
    let loads =
        instruction.mnemonic() == Mnemonic::Mov && instruction.op0_kind() == OpKind::Register;
    loads || instruction.flow_control() == FlowControl::IndirectCall
}
