#include "js_thread.hh"

namespace torrx {

JsThread::JsThread(std::function<void()> notify)
    : channel(std::make_shared<Channel>(std::move(notify))), pipeline(process.enter()) {}

JsThread::~JsThread() {
  channel->close();
  for (const Token token : windows) process.closeWindow(token);
  for (const Token token : torrents) process.torrents.close(token);
  for (const Token token : pieces) process.pieces.release(token);
  for (const Token token : files) process.files.remove(token);
  process.leave();
}

std::shared_ptr<Piece> JsThread::piece(Token token) const {
  return pieces.contains(token) ? process.pieces.get(token) : nullptr;
}

std::shared_ptr<Window> JsThread::window(Token token) const {
  return windows.contains(token) ? process.windows.get(token) : nullptr;
}

std::shared_ptr<const File> JsThread::file(Token token) const {
  return files.contains(token) ? process.files.get(token) : nullptr;
}

void JsThread::releaseFile(Token token) {
  if (files.erase(token) > 0) process.files.remove(token);
}

void JsThread::closeTorrent(Token token) {
  if (torrents.erase(token) > 0) process.torrents.close(token);
}

Token JsThread::renewTorrent(Token token) {
  const Token next = torrents.contains(token) ? process.torrents.renew(token) : 0;
  if (next == 0) return 0;
  torrents.erase(token);
  torrents.insert(next);
  return next;
}

void JsThread::releasePiece(Token token) {
  if (pieces.erase(token) > 0) process.pieces.release(token);
}

void JsThread::closeWindow(Token token) {
  if (windows.erase(token) > 0) process.closeWindow(token);
}

JsThreads& JsThreads::instance() {
  static JsThreads& only = *std::make_unique<JsThreads>().release();
  return only;
}

Token JsThreads::reserve() {
  const std::lock_guard lock(mutex_);
  if (entries_.size() == kMax) return 0;
  entries_[++last_] = {nullptr, std::this_thread::get_id()};
  return last_;
}

void JsThreads::add(Token token, std::unique_ptr<JsThread> thread) {
  const std::lock_guard lock(mutex_);
  entries_[token].thread = std::move(thread);
}

JsThread* JsThreads::get(Token token) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end() || found->second.home != std::this_thread::get_id()) return nullptr;
  return found->second.thread.get();
}

std::unique_ptr<JsThread> JsThreads::remove(Token token) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end() || found->second.home != std::this_thread::get_id()) return nullptr;
  std::unique_ptr<JsThread> thread = std::move(found->second.thread);
  entries_.erase(found);
  return thread;
}

std::uint64_t JsThreads::pinnedBytes() {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [token, entry] : entries_) bytes += entry.thread ? entry.thread->pins.pinnedBytes() : 0;
  return bytes;
}

}  // namespace torrx
