// What one JavaScript thread has opened. Only that thread touches it; when it closes it, or ends, all of it is released.
#pragma once

#include <memory>
#include <thread>
#include <unordered_set>

#include "channel.hh"
#include "pin_table.hh"
#include "process.hh"

namespace torrx {

class JsThread {
 public:
  /** Throws std::system_error where the system has no threads for the pipeline. */
  explicit JsThread(std::function<void()> notify);
  ~JsThread();
  JsThread(const JsThread&) = delete;
  JsThread& operator=(const JsThread&) = delete;

  // null: the token is stale, or another thread's.
  std::shared_ptr<Piece> piece(Token token) const;
  std::shared_ptr<Window> window(Token token) const;
  std::shared_ptr<const File> file(Token token) const;

  void releaseFile(Token token);
  void closeTorrent(Token token);
  /** 0 where it is not its own, or there is no room. */
  Token renewTorrent(Token token);
  void releasePiece(Token token);
  void closeWindow(Token token);

  /** The id of the job whose result is to come; 0: too many are under way. */
  std::uint64_t beginJob(ResultKind kind) { return channel->reserve(kind) ? ++lastJob_ : 0; }

  const std::shared_ptr<Channel> channel;
  Process& process = Process::instance();
  Pipeline& pipeline;
  PinTable pins{process.pool};
  std::unordered_set<Token> files, torrents, pieces, windows;

 private:
  std::uint64_t lastJob_ = 0;
};

/** The threads of the process that are open, by what native/thread.ts knows them as. */
class JsThreads {
 public:
  static JsThreads& instance();

  /** A token for the calling thread, 0 when there are kMax; then either add or remove. */
  Token reserve();
  void add(Token token, std::unique_ptr<JsThread> thread);
  /** null for a token that is stale or belongs to another thread. */
  JsThread* get(Token token);
  std::unique_ptr<JsThread> remove(Token token);
  /** Of all. */
  std::uint64_t pinnedBytes();

 private:
  /** Their checks must fit into the pipeline's queue. */
  static constexpr std::size_t kMax = 32;

  struct Entry {
    std::unique_ptr<JsThread> thread;
    std::thread::id home;
  };
  std::mutex mutex_;
  std::unordered_map<Token, Entry> entries_;
  Token last_ = 0;
};

}  // namespace torrx
