// Zeroed pages that cost nothing until they are touched.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace torrx {

class Mapping {
 public:
  /** isUsable() is false when the system refuses. */
  explicit Mapping(std::size_t bytes)
      : bytes_(bytes),
        data_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  Mapping(Mapping&& other) noexcept : bytes_(other.bytes_), data_(other.data_) { other.data_ = MAP_FAILED; }
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (isUsable()) munmap(data_, bytes_);
  }

  bool isUsable() const { return data_ != MAP_FAILED; }
  std::size_t size() const { return bytes_; }
  std::byte* bytes() const { return static_cast<std::byte*>(data_); }

  using Word = std::atomic<std::uint64_t>;
  /** Zero bytes are a valid atomic word of value 0. */
  Word& word(std::size_t index) const { return static_cast<Word*>(data_)[index]; }

 private:
  static_assert(sizeof(Word) == sizeof(std::uint64_t) && Word::is_always_lock_free);
  const std::size_t bytes_;
  void* data_;
};

/** A mapping that must succeed; throws std::bad_alloc. */
inline Mapping mapWords(std::size_t words) {
  Mapping mapping(words * sizeof(std::uint64_t));
  if (!mapping.isUsable()) throw std::bad_alloc();
  return mapping;
}

}  // namespace torrx
