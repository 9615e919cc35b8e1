#include "pin_table.hh"

namespace torrx {

namespace {

constexpr unsigned kIndexBits = 20;

}  // namespace

PinTable::~PinTable() {
  for (const Pin& pin : pins_) {
    for (SlabIndex i = 0; i < pin.slabs; ++i) pool_.unref(pin.slab + i);
  }
}

Token PinTable::add(const Chunk& chunk) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(pins_.size()));
    pins_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Pin& pin = pins_[index];
  pin = {pin.generation + 1, chunk.slab, chunk.slabs};
  pinnedSlabs_.fetch_add(chunk.slabs, orders::kFigure);
  return (Token{pin.generation} << kIndexBits) | index;
}

bool PinTable::release(Token token) {
  const std::size_t index = token & ((Token{1} << kIndexBits) - 1);
  if (index >= pins_.size()) return false;
  Pin& pin = pins_[index];
  if (pin.slabs == 0 || pin.generation != token >> kIndexBits) return false;
  for (SlabIndex i = 0; i < pin.slabs; ++i) pool_.unref(pin.slab + i);
  pinnedSlabs_.fetch_sub(pin.slabs, orders::kFigure);
  pin.slabs = 0;
  free_.push_back(static_cast<std::uint32_t>(index));
  return true;
}

}  // namespace torrx
