//! What the code of a function does with an address that it loads: does it only call it, does it
//! lay it down in its own frame, or may the address outlive the call?
//!
//! Follows registers and slots of the frame over all branches. Whatever isn't understood keeps the
//! address. Knows nothing of whose address it is.

mod frame;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register, UsedRegister,
};

use frame::{takes_up, Frame, Slot};

/// What becomes of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressUse {
    /// It is called or compared, and forgotten; also if it was put aside before.
    Called,
    /// It is stored in the function's own frame, and nowhere else.
    InFrame,
    /// It is stored, handed on or returned.
    Kept,
}

/// Where the code of a function refers to something outside of itself.
pub trait References {
    /// Whether the linker fills in something in these bytes of the code.
    fn is_any(&self, place: Range<usize>) -> bool;
    /// Whether the function called there is known to take no addresses in registers.
    fn takes_none(&self, place: Range<usize>) -> bool;
}

/// What becomes of the address that stands at `at` in the code of a function.
pub fn address_use(code: &[u8], at: usize, references: &dyn References) -> AddressUse {
    let decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let code: Vec<Instruction> = decoder.into_iter().collect();
    let Some(first) = code
        .iter()
        .position(|instruction| range(instruction).contains(&at))
    else {
        return AddressUse::Kept;
    };
    let loads = matches!(code[first].code(), Code::Mov_r64_rm64 | Code::Lea_r64_m);
    match code[first].flow_control() {
        FlowControl::Next if loads => {}
        FlowControl::Next
        | FlowControl::Return
        | FlowControl::Interrupt
        | FlowControl::Exception => {
            return AddressUse::Kept;
        }
        _ => return AddressUse::Called,
    }
    let mut flow = Flow::new(&code, references);
    let holding = Holding {
        registers: BTreeSet::from([code[first].op0_register()]),
        slots: BTreeSet::new(),
    };
    flow.reach(first + 1, &holding);
    flow.run()
}

fn range(instruction: &Instruction) -> Range<usize> {
    instruction.ip() as usize..instruction.next_ip() as usize
}

/// Where the address may be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Holding {
    registers: BTreeSet<Register>,
    slots: BTreeSet<Slot>,
}

impl Holding {
    fn is_empty(&self) -> bool {
        self.registers.is_empty() && self.slots.is_empty()
    }

    fn has_slot(&self, (base, start, size): Slot) -> bool {
        let overlaps =
            |other: &Slot| other.0 == base && start < other.1 + other.2 && other.1 < start + size;
        self.slots.iter().any(overlaps)
    }
}

/// Registers in which arguments are passed.
const ARGUMENTS: [Register; 6] = [
    Register::RDI,
    Register::RSI,
    Register::RDX,
    Register::RCX,
    Register::R8,
    Register::R9,
];
/// Registers in which results are returned.
const RESULTS: [Register; 2] = [Register::RAX, Register::RDX];
/// Registers that a call leaves as they are.
const PRESERVED: [Register; 6] = [
    Register::RBX,
    Register::RBP,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];

struct Flow<'a> {
    code: &'a [Instruction],
    references: &'a dyn References,
    info: InstructionInfoFactory,
    frame: Frame,
    /// Where the address was stored in the frame, and what was taken up of that.
    stored: BTreeSet<Slot>,
    taken_up: BTreeSet<Slot>,
    /// What may be held before each instruction, by its position.
    before: BTreeMap<usize, Holding>,
    waiting: BTreeSet<usize>,
    /// Instructions at which a block starts.
    blocks: BTreeSet<usize>,
    /// Those of them to which no branch leads: unwinding does, or a table of places.
    pads: BTreeSet<usize>,
}

impl<'a> Flow<'a> {
    fn new(code: &'a [Instruction], references: &'a dyn References) -> Self {
        let mut flow = Self {
            code,
            references,
            info: InstructionInfoFactory::new(),
            frame: Frame::of(code),
            stored: BTreeSet::new(),
            taken_up: BTreeSet::new(),
            before: BTreeMap::new(),
            waiting: BTreeSet::new(),
            blocks: BTreeSet::new(),
            pads: BTreeSet::new(),
        };
        flow.find_blocks();
        flow
    }

    fn find_blocks(&mut self) {
        for (position, instruction) in self.code.iter().enumerate() {
            self.blocks.extend(self.target(instruction));
            if !matches!(
                instruction.flow_control(),
                FlowControl::Next | FlowControl::ConditionalBranch
            ) {
                // Also behind a call that never returns: where it unwinds to.
                self.blocks.insert(position + 1);
            }
        }
        let mut reached = BTreeSet::new();
        let mut waiting = vec![0];
        while let Some(position) = waiting.pop() {
            let Some(instruction) = self.code.get(position).filter(|_| reached.insert(position))
            else {
                continue;
            };
            waiting.extend(self.target(instruction));
            let goes_on = [
                FlowControl::Next,
                FlowControl::ConditionalBranch,
                FlowControl::Call,
                FlowControl::IndirectCall,
            ];
            if goes_on.contains(&instruction.flow_control()) {
                waiting.push(position + 1);
            }
        }
        self.pads = self.blocks.difference(&reached).copied().collect();
    }

    /// Where a branch goes inside of the function.
    fn target(&self, instruction: &Instruction) -> Option<usize> {
        let branches = matches!(
            instruction.flow_control(),
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
        );
        if !branches || self.references.is_any(range(instruction)) {
            return None;
        }
        let to = instruction.near_branch_target();
        self.code.binary_search_by_key(&to, Instruction::ip).ok()
    }

    fn reach(&mut self, position: usize, holding: &Holding) {
        if holding.is_empty() || position >= self.code.len() {
            return;
        }
        let known = self.before.entry(position).or_default();
        let before = known.clone();
        known.registers.extend(&holding.registers);
        known.slots.extend(&holding.slots);
        if *known != before {
            self.waiting.insert(position);
        }
    }

    fn run(&mut self) -> AddressUse {
        let mut found = AddressUse::Called;
        while let Some(position) = self.waiting.pop_first() {
            let mut holding = self.before[&position].clone();
            found = found.max(self.step(position, &mut holding));
            if found == AddressUse::Kept {
                return found;
            }
        }
        let is_aside = |slot: &Slot| self.taken_up.contains(slot) && self.frame.is_private(*slot);
        match self.stored.iter().all(is_aside) {
            true => AddressUse::Called,
            false => found,
        }
    }

    /// Does one instruction, and goes on to those that follow it.
    fn step(&mut self, position: usize, holding: &mut Holding) -> AddressUse {
        let instruction = self.code[position];
        match instruction.flow_control() {
            FlowControl::Next => {
                let used = self.next(&instruction, holding);
                self.reach(position + 1, holding);
                used
            }
            FlowControl::Call | FlowControl::IndirectCall => {
                if self.hands_on(&instruction, holding) {
                    return AddressUse::Kept;
                }
                self.take_up(&instruction, holding);
                holding
                    .registers
                    .retain(|register| PRESERVED.contains(register));
                self.reach(position + 1, holding);
                // It may unwind.
                self.reach_all(&self.pads.clone(), holding);
                AddressUse::Called
            }
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch => {
                match self.target(&instruction) {
                    Some(target) => self.reach(target, holding),
                    None if self.hands_on(&instruction, holding) => return AddressUse::Kept,
                    None => {}
                }
                if instruction.flow_control() == FlowControl::ConditionalBranch {
                    self.reach(position + 1, holding);
                }
                AddressUse::Called
            }
            FlowControl::IndirectBranch => {
                let calls = instruction.op0_kind() == OpKind::Register
                    && holding.registers.contains(&instruction.op0_register());
                if calls && self.hands_on(&instruction, holding) {
                    return AddressUse::Kept;
                }
                // By a table of places of the function, as far as can be told.
                self.reach_all(&self.blocks.clone(), holding);
                AddressUse::Called
            }
            FlowControl::Return
                if RESULTS
                    .iter()
                    .any(|register| holding.registers.contains(register)) =>
            {
                AddressUse::Kept
            }
            FlowControl::Return | FlowControl::Exception => AddressUse::Called,
            FlowControl::Interrupt | FlowControl::XbeginXabortXend => AddressUse::Kept,
        }
    }

    /// Notes what an instruction takes up of the frame.
    fn take_up(&mut self, instruction: &Instruction, holding: &Holding) {
        let slot = self.frame.slot(instruction);
        let taken = slot.filter(|slot| takes_up(instruction) && holding.slots.contains(slot));
        self.taken_up.extend(taken);
    }

    fn reach_all(&mut self, blocks: &BTreeSet<usize>, holding: &Holding) {
        for block in blocks {
            self.reach(*block, holding);
        }
    }

    /// Whether a call gets the address as an argument, or reads it out of memory that it points to.
    fn hands_on(&mut self, call: &Instruction, holding: &Holding) -> bool {
        let through = [call.memory_base(), call.memory_index()];
        if through
            .iter()
            .any(|register| holding.registers.contains(&register.full_register()))
        {
            return true;
        }
        let passed = ARGUMENTS
            .iter()
            .any(|register| holding.registers.contains(register));
        passed && !self.references.takes_none(range(call))
    }

    /// An instruction that neither branches nor calls.
    fn next(&mut self, instruction: &Instruction, holding: &mut Holding) -> AddressUse {
        let slot = self.frame.slot(instruction);
        self.take_up(instruction, holding);
        let used: Vec<UsedRegister> = self.info.info(instruction).used_registers().to_vec();
        let is_memory = (0..instruction.op_count())
            .map(|at| instruction.op_kind(at))
            .any(|kind| kind == OpKind::Memory);
        let addresses = [
            instruction.memory_base().full_register(),
            instruction.memory_index().full_register(),
        ];
        if is_memory
            && addresses
                .iter()
                .any(|register| holding.registers.contains(register))
        {
            return AddressUse::Kept;
        }
        let stores = instruction.op0_kind() == OpKind::Memory;
        let reads_register = used.iter().any(|used| {
            reads(used.access()) && holding.registers.contains(&used.register().full_register())
        });
        let reads_slot = !stores && is_memory && slot.is_some_and(|slot| holding.has_slot(slot));
        let compares = matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
        let written: Vec<Register> = used
            .iter()
            .filter(|used| used.access() != OpAccess::Read && used.access() != OpAccess::CondRead)
            .map(|used| used.register().full_register())
            .filter(|register| *register != Register::RSP)
            .collect();
        if !compares && stores && reads_register {
            let Some(slot) = slot.filter(|_| is_move(instruction)) else {
                return AddressUse::Kept;
            };
            holding.slots.insert(slot);
            self.stored.insert(slot);
            return AddressUse::InFrame;
        }
        if !compares && (reads_register || reads_slot) {
            // Computed from it: it may be in what is written.
            let one = matches!(written.as_slice(), [one] if *one == instruction.op0_register().full_register());
            if !one || instruction.op0_kind() != OpKind::Register {
                return AddressUse::Kept;
            }
            holding.registers.insert(written[0]);
            return AddressUse::Called;
        }
        for used in &used {
            let whole = used.register().is_gpr64()
                || used.register().is_gpr32()
                || used.register().is_vector_register();
            if used.access() == OpAccess::Write && whole {
                holding.registers.remove(&used.register().full_register());
            }
        }
        AddressUse::Called
    }
}

fn reads(access: OpAccess) -> bool {
    !matches!(
        access,
        OpAccess::None | OpAccess::Write | OpAccess::CondWrite | OpAccess::NoMemAccess
    )
}

fn is_move(instruction: &Instruction) -> bool {
    let name = format!("{:?}", instruction.mnemonic());
    name.starts_with("Mov") || name.starts_with("Vmov")
}

#[cfg(test)]
mod tests;
