// What all JavaScript threads of the process share: memory, tokens, threads. It is never destroyed, because views of its
// memory and threads of ours may outlast the end of main(); the threads go with the last JavaScript thread that uses it.
//
// Threading: all members from any thread. mutex_ is held while the pipeline begins and ends; windowsMutex_ is a leaf.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "channel.hh"
#include "disk_reads.hh"
#include "piece.hh"
#include "pipeline.hh"
#include "slab_pool.hh"
#include "torrent.hh"

namespace torrx {

class Process final : public Waker, public DiskReads {
 public:
  static constexpr std::size_t kMaxFiles = 65'536;

  static Process& instance();

  SlabPool pool;
  DiskFigures diskFigures;
  PieceTable pieces{pool};
  TorrentTable torrents;
  WindowTable windows;
  TokenTable<File> files{kMaxFiles};

  /** The pipeline is there until as many calls of leave. Throws std::system_error as Pipeline does. */
  Pipeline& enter();
  void leave();

  /** Wake-ups of the window go to the channel until it is closed. */
  Token openWindow(const std::shared_ptr<Torrent>& torrent, ByteSpan file, std::shared_ptr<Channel> channel);
  void closeWindow(Token window);

  void wake(Token window) override;
  /** Called by a window's own thread, which has entered. */
  bool enqueue(ReadJob&& job) override { return pipeline_->read(std::move(job)); }

 private:
  std::mutex mutex_;  // guards the two below
  std::unique_ptr<Pipeline> pipeline_;
  std::size_t users_ = 0;

  std::mutex windowsMutex_;
  std::unordered_map<Token, std::shared_ptr<Channel>> channelOfWindow_;
};

}  // namespace torrx
