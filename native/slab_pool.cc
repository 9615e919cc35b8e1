#include "slab_pool.hh"

namespace torrx {

namespace {

Mapping reserve(SlabIndex slabs) {
  for (; slabs >= kSlabsPerRegion; slabs /= 2) {
    Mapping mapping(slabs * kSlabBytes);
    if (mapping.isUsable()) return mapping;
  }
  throw std::bad_alloc();
}

std::uint64_t weight(Holder holder) { return static_cast<std::uint64_t>(holder); }

}  // namespace

SlabPool::SlabPool(SlabIndex maxSlabs)
    : memory_(reserve(maxSlabs)),
      slabs_(static_cast<SlabIndex>(memory_.size() / kSlabBytes)),
      counts_(mapWords(slabs_)),
      free_(slabs_, true),
      resident_(slabs_, false) {}

SlabPool::~SlabPool() { stopTrimmer(); }

void SlabPool::setCapacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacitySlabs_ = bytes / kSlabBytes;
}

bool SlabPool::hasRoom(std::uint64_t slabs) const {
  const std::lock_guard lock(mutex_);
  return usedSlabs_ + slabs <= std::min<std::uint64_t>(capacitySlabs_, slabs_);
}

bool SlabPool::allocate(std::span<SlabIndex> out, Limit limit) {
  const std::lock_guard lock(mutex_);
  if (limit == Limit::respect && usedSlabs_ + out.size() > capacitySlabs_) return false;
  if (!findRun(out) && !findAny(out)) return false;
  for (const SlabIndex slab : out) handOut(slab);
  return true;
}

/** Lowest first keeps the touched memory and the number of regions small; above everUsed_ all is free. */
bool SlabPool::findRun(std::span<SlabIndex> out) const {
  std::size_t length = 0;
  for (SlabIndex slab = lowestFree_; slab < slabs_ && length < out.size(); ++slab) {
    length = free_[slab] ? length + 1 : 0;
    if (length == out.size()) {
      for (std::size_t i = 0; i < length; ++i) out[i] = static_cast<SlabIndex>(slab + 1 - length + i);
    }
  }
  return length == out.size();
}

bool SlabPool::findAny(std::span<SlabIndex> out) const {
  std::size_t found = 0;
  for (SlabIndex slab = lowestFree_; slab < slabs_ && found < out.size(); ++slab) {
    if (free_[slab]) out[found++] = slab;
  }
  return found == out.size();
}

void SlabPool::handOut(SlabIndex slab) {
  free_[slab] = false;
  ++usedSlabs_;
  if (!resident_[slab]) ++residentSlabs_;
  resident_[slab] = true;
  if (slab == lowestFree_) {
    while (lowestFree_ < slabs_ && !free_[lowestFree_]) ++lowestFree_;
  }
  everUsed_ = std::max(everUsed_, slab + 1);
  counts_.word(slab).store(1, orders::kNewLife);
}

void SlabPool::ref(SlabIndex slab, Holder holder) {
  const std::uint64_t before = counts_.word(slab).fetch_add(weight(holder), orders::kRef);
  if (holder == Holder::window && before <= kAllRefs) windowSlabs_.fetch_add(1, orders::kFigure);
}

bool SlabPool::tryRef(SlabIndex slab, Holder holder) {
  auto& count = counts_.word(slab);
  std::uint64_t before = count.load(orders::kFigure);
  do {
    if (before == 0 && orders::kRefuseFree) return false;
  } while (!count.compare_exchange_weak(before, before + weight(holder), orders::kTryRef, orders::kFigure));
  if (holder == Holder::window && before <= kAllRefs) windowSlabs_.fetch_add(1, orders::kFigure);
  return true;
}

void SlabPool::unref(SlabIndex slab, Holder holder) {
  const std::uint64_t after = counts_.word(slab).fetch_sub(weight(holder), orders::kUnref) - weight(holder);
  if (holder == Holder::window && after <= kAllRefs) windowSlabs_.fetch_sub(1, orders::kFigure);
  if (after == 0) release(slab);
}

void SlabPool::unref(std::span<const SlabIndex> slabs) {
  for (const SlabIndex slab : slabs) unref(slab);
}

void SlabPool::release(SlabIndex slab) {
  const std::lock_guard lock(mutex_);
  free_[slab] = true;
  lowestFree_ = std::min(lowestFree_, slab);
  --usedSlabs_;
  if (isTrimDue_ || !hasExcess()) return;
  isTrimDue_ = true;
  excess_.notify_one();
}

/** Highest first, as allocation goes lowest first. What is taken is neither used nor free until it is given back. */
std::vector<SlabIndex> SlabPool::takeExcess(std::size_t maxSlabs) {
  std::vector<SlabIndex> taken;
  for (SlabIndex slab = everUsed_; slab-- > 0 && taken.size() < maxSlabs && hasExcess();) {
    if (!free_[slab] || !resident_[slab]) continue;
    free_[slab] = false;
    resident_[slab] = false;
    --residentSlabs_;
    taken.push_back(slab);
  }
  return taken;
}

std::size_t SlabPool::trim(std::size_t maxSlabs) {
  std::unique_lock lock(mutex_);
  const std::vector<SlabIndex> taken = takeExcess(maxSlabs);
  lock.unlock();
  for (std::size_t i = 0; i < taken.size();) {
    std::size_t run = 1;  // downwards
    while (i + run < taken.size() && taken[i + run] + run == taken[i]) ++run;
    i += run;
    madvise(at(taken[i - 1]), run * kSlabBytes, MADV_DONTNEED);  // fails never for a mapping of our own
  }
  lock.lock();
  for (const SlabIndex slab : taken) {
    free_[slab] = true;
    lowestFree_ = std::min(lowestFree_, slab);
  }
  return taken.size();
}

void SlabPool::startTrimmer() {
  {
    const std::lock_guard lock(mutex_);
    isStopping_ = isTrimDue_ = false;
  }
  trimmer_ = std::thread([this] { trimUntilStopped(); });
}

void SlabPool::stopTrimmer() {
  if (!trimmer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    isStopping_ = true;
  }
  excess_.notify_one();
  trimmer_.join();
}

void SlabPool::trimUntilStopped() {
  constexpr std::chrono::seconds kTrimAfter{2};
  constexpr std::size_t kBatchSlabs = 64;  // what allocate may miss for the length of a few system calls
  std::unique_lock lock(mutex_);
  for (;;) {
    excess_.wait(lock, [this] { return isStopping_ || hasExcess(); });
    // At full speed the same slabs come back within milliseconds; to fault them in anew costs more than the copy.
    if (excess_.wait_for(lock, kTrimAfter, [this] { return isStopping_; })) return;
    while (hasExcess() && !isStopping_) {
      lock.unlock();
      trim(kBatchSlabs);
      lock.lock();
    }
    isTrimDue_ = false;
  }
}

SlabPool::Figures SlabPool::figures() const {
  const std::lock_guard lock(mutex_);
  return {capacitySlabs_ * kSlabBytes, usedSlabs_ * kSlabBytes, windowSlabs_.load(orders::kFigure) * kSlabBytes,
          residentSlabs_ * kSlabBytes};
}

}  // namespace torrx
