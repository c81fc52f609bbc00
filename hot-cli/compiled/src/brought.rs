//! Functions that the program has from plugins alone: each plugin that brings one has code under
//! its name that asks a cell for the site of it. See `soft_mock_abi::late`.

use soft_mock_abi::late::CELL;

use crate::world::{Piece, Target, World};

/// Whether a piece is such code.
pub(crate) fn asks_cell(world: &World<'_>, piece: Piece) -> bool {
    let mut relocations = world.objects[piece.0].relocations(piece.1);
    let is_cell = |name: &str| name.starts_with(CELL);
    world.is_code(piece)
        && relocations.any(|relocation| match world.target(piece.0, &relocation) {
            Some(Target::Piece(target)) => {
                world.symbols_in(target).iter().any(|name| is_cell(name))
            }
            Some(Target::Outside(name)) => is_cell(name),
            None => false,
        })
}
