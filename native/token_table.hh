// Things that JavaScript knows by number. A token is generation * 2^16 + index, always below 2^53 and never 0; a stale,
// foreign or invented one finds nothing. The table shares ownership with jobs in flight: closing takes the token away
// at once, the thing itself goes with its last user.
// Threading: every member may be called from any thread (one mutex, held for a few instructions).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace torrx {

using Token = std::uint64_t;

template <typename Thing>
class TokenTable {
 public:
  /** capacity at most 65,536. */
  explicit TokenTable(std::size_t capacity) : capacity_(capacity) {}

  /** make(token) returns a shared_ptr<Thing>; it runs under the table's mutex. 0 when the table is full. */
  template <typename Make>
  Token insert(Make&& make) {
    const std::lock_guard lock(mutex_);
    const std::size_t index = freeIndex();
    if (index == capacity_) return 0;
    Entry& entry = entries_[index];
    const Token token = (++entry.generation << kIndexBits) | index;
    entry.thing = make(token);
    ++size_;
    return token;
  }

  std::shared_ptr<Thing> get(Token token) const {
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(token);
    return entry ? entry->thing : nullptr;
  }

  /** Invalidates the token and returns what it meant; null when it was not valid. */
  std::shared_ptr<Thing> remove(Token token) {
    const std::lock_guard lock(mutex_);
    Entry* entry = const_cast<Entry*>(find(token));
    if (!entry) return nullptr;
    free_.push_back(static_cast<std::uint32_t>(token & kIndexMask));
    --size_;
    return std::exchange(entry->thing, nullptr);
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return size_;
  }

 private:
  static constexpr unsigned kIndexBits = 16;
  static constexpr Token kIndexMask = (Token{1} << kIndexBits) - 1;

  struct Entry {
    Token generation = 0;  // of the thing, or of the last one while there is none
    std::shared_ptr<Thing> thing;
  };

  std::size_t freeIndex() {
    if (!free_.empty()) {
      const std::size_t index = free_.back();
      free_.pop_back();
      return index;
    }
    if (entries_.size() < capacity_) entries_.emplace_back();
    else return capacity_;
    return entries_.size() - 1;
  }

  const Entry* find(Token token) const {
    const std::size_t index = token & kIndexMask;
    if (index >= entries_.size()) return nullptr;
    const Entry& entry = entries_[index];
    return entry.thing && entry.generation == token >> kIndexBits ? &entry : nullptr;
  }

  mutable std::mutex mutex_;
  const std::size_t capacity_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace torrx
