#include "pin_table.hh"

#include <algorithm>

namespace torrx {

namespace {

constexpr unsigned kIndexBits = 20;
static_assert(PinTable::kMaxPins == std::size_t{1} << kIndexBits);

}  // namespace

PinTable::~PinTable() {
  for (const Pin& pin : pins_) giveBack(pin.slab, pin.slabs);
}

void PinTable::giveBack(SlabIndex slab, std::uint32_t slabs) {
  for (SlabIndex i = 0; i < slabs; ++i) pool_.unref(slab + i);
}

Token PinTable::add(const Chunk& chunk) {
  if (free_.empty() && pins_.size() == kMaxPins) {
    giveBack(chunk.slab, chunk.slabs);
    return 0;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(pins_.size()));
    pins_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Pin& pin = pins_[index];
  pin = {std::max(pin.generation + 1, 1u), chunk.slab, chunk.slabs};
  pinnedSlabs_.fetch_add(chunk.slabs, orders::kFigure);
  return (Token{pin.generation} << kIndexBits) | index;
}

bool PinTable::release(Token token) {
  const std::size_t index = token & ((Token{1} << kIndexBits) - 1);
  if (index >= pins_.size()) return false;
  Pin& pin = pins_[index];
  if (pin.slabs == 0 || pin.generation != token >> kIndexBits) return false;
  giveBack(pin.slab, pin.slabs);
  pinnedSlabs_.fetch_sub(pin.slabs, orders::kFigure);
  pin.slabs = 0;
  free_.push_back(static_cast<std::uint32_t>(index));
  return true;
}

}  // namespace torrx
