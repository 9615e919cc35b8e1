// A torrent as its windows and the pipeline see it: which pieces the disk has, its state, and who looks at it.
// Threading: all members from any thread. The list of windows has a mutex; a hit takes it only when it reaches
// the next unit and the torrent has several windows.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "geometry.hh"
#include "token_table.hh"
#include "window.hh"

namespace torrx {

enum class TorrentState : std::uint8_t { fine, gone, diskFull, diskError, dataConflict, internal };

using InfoHash = std::array<std::uint8_t, 20>;

class Torrent {
 public:
  Torrent(const InfoHash& infoHash, const Geometry& geometry);

  const InfoHash& infoHash() const { return infoHash_; }
  const Geometry& geometry() const { return geometry_; }

  /** Verified and readable from disk. Pieces beyond the last are refused (false) or ignored. */
  bool has(std::uint64_t piece) const;
  /** The whole bitmap in wire order (bit 7 of byte 0 is piece 0); missing bytes count as 0. */
  void setHave(std::span<const std::uint8_t> bits);
  void addHave(std::uint64_t piece);
  /** Also takes the piece out of every window: its bytes on disk are not vouched for any more. */
  void removeHave(std::uint64_t piece);
  /** How often pieces were lost. Unchanged since before a piece was seen to be had: it was had all the time. */
  std::uint64_t losses() const { return losses_.load(std::memory_order_seq_cst); }

  TorrentState state() const { return state_.load(std::memory_order_seq_cst); }
  /** Wakes whoever waits. `gone` is final. */
  void setState(TorrentState state);

  /** A piece that has just passed its hash, before it is written: the slabs in order, one per unit. The caller holds a
   *  reference of each during the call and keeps it. */
  void publish(std::uint64_t piece, std::span<const SlabIndex> slabs);

  /** Does anybody look at it? */
  bool isWatched() const;

  // For Window and WindowTable.

  void addWindow(const std::shared_ptr<Window>& window);
  void removeWindow(const Window& window);
  std::vector<std::shared_ptr<Window>> windows() const;
  /** Runs `change` for every open window of the file of `one` and returns them. Under the mutex, as is every loss of
   *  pieces and all that windows take over from each other: none of these comes between two of the windows. */
  template <typename Change>
  std::vector<std::shared_ptr<Window>> changeFamily(const Window& one, Change change) {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Window>> family = windows_;
    std::erase_if(family, [&](const auto& window) { return !window->isSameFileAs(one); });
    for (const auto& window : family) change(*window);
    return family;
  }
  /** Offers `window`, whose consumer calls this, what the others of its file have. */
  void shareWith(Window& window, UnitRange units);

 private:
  static constexpr unsigned kWordBits = 64;
  void replaceWord(std::size_t index, std::uint64_t next);
  /** Has been cleared already. Under the mutex. */
  void lose(std::uint64_t piece);

  const InfoHash infoHash_;
  const Geometry geometry_;
  std::vector<std::atomic<std::uint64_t>> have_;
  std::atomic<std::uint64_t> losses_{0};
  std::atomic<TorrentState> state_{TorrentState::fine};
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Window>> windows_;  // until closed: what breaks the cycle of ownership
  std::atomic<std::size_t> windowCount_{0};       // relaxed: a hint that there is nobody to share with
};

class TorrentTable {
 public:
  static constexpr std::size_t kCapacity = 65'536;

  /** 0 when there is one of that info hash already, or no room. */
  Token open(const InfoHash& infoHash, const Geometry& geometry);
  Token find(const InfoHash& infoHash) const;
  std::shared_ptr<Torrent> get(Token token) const { return table_.get(token); }
  /** Its windows become gone. False when the token is stale. */
  bool close(Token token);
  /** Close and open in one: find never misses it. Has nothing, and no window. 0 when the token is stale, or no room. */
  Token renew(Token token);
  std::size_t size() const { return table_.size(); }

 private:
  mutable std::mutex mutex_;  // guards byHash_; taken before the table's own
  std::map<InfoHash, Token> byHash_;
  TokenTable<Torrent> table_{kCapacity};
};

class WindowTable {
 public:
  static constexpr std::size_t kCapacity = 4'096;

  /** `file`: bytes of the torrent. 0 when it is empty or not inside the torrent, or when there is no room. */
  Token open(const std::shared_ptr<Torrent>& torrent, ByteSpan file, Window::Outside outside);
  std::shared_ptr<Window> get(Token token) const { return table_.get(token); }
  /** The consumer's thread (or its cleanup). Pins outlive it. False when the token is stale. */
  bool close(Token token);
  std::size_t size() const { return table_.size(); }

 private:
  TokenTable<Window> table_{kCapacity};
};

}  // namespace torrx
