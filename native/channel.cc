#include "channel.hh"

namespace torrx {

bool Channel::reserve(ResultKind kind) {
  if (jobs_ == kMaxJobs) return false;
  if (kind == ResultKind::checked) {
    if (checks_ == kMaxChecks) return false;
    ++checks_;
  }
  ++jobs_;
  return true;
}

void Channel::deliver(Result result) {
  // Never full: no more jobs are reserved than it holds.
  results_.push(std::move(result));
  notifyOnce();
}

void Channel::wake(Token window) {
  // release: pairs with the exchange in drain through isNotified_; a wake that finds no room becomes one for all.
  if (!wakes_.push(Token{window})) hasLostWakes_.store(true, std::memory_order_release);
  notifyOnce();
}

// Why nothing is left lying: a producer first pushes and then exchanges true for isNotified_; the consumer first
// exchanges false and then drains. Both are read-modify-writes of one atomic, so they are in one order. If the producer
// comes second it reads false and notifies anew. If it comes first, the consumer's exchange (acquire) reads from it
// (release), or from a later producer's in the same release sequence, so its push is seen by the drain. A value may be
// hidden behind the cell of a producer that has not finished its push; that one has its own exchange still to come.
void Channel::notifyOnce() {
  if (isNotified_.exchange(true, std::memory_order_acq_rel)) return;
  const std::lock_guard lock(mutex_);
  if (notify_) notify_();
}

std::vector<Result> Channel::drain() {
  isNotified_.exchange(false, std::memory_order_acq_rel);
  std::vector<Result> all;
  while (auto result = results_.pop()) {
    --jobs_;
    if (result->kind == ResultKind::checked) --checks_;
    all.push_back(*result);
  }
  while (auto window = wakes_.pop()) all.push_back({.kind = ResultKind::wake, .id = *window});
  if (hasLostWakes_.exchange(false, std::memory_order_acq_rel)) all.push_back({.kind = ResultKind::wake});
  return all;
}

void Channel::close() {
  isClosed_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  notify_ = nullptr;
}

}  // namespace torrx
