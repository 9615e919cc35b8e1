#include "process.hh"

namespace torrx {

Process& Process::instance() {
  static Process& only = *std::make_unique<Process>().release();
  return only;
}

Pipeline& Process::enter() {
  const std::lock_guard lock(mutex_);
  if (users_ == 0) {
    pipeline_ = std::make_unique<Pipeline>(pool, diskFigures);
    pool.startTrimmer();
  }
  ++users_;
  return *pipeline_;
}

void Process::leave() {
  const std::lock_guard lock(mutex_);
  if (--users_ > 0) return;
  pipeline_ = nullptr;
  pool.stopTrimmer();
  pool.trim(SlabPool::kMaxSlabs);
}

Token Process::openWindow(const std::shared_ptr<Torrent>& torrent, ByteSpan file, std::shared_ptr<Channel> channel) {
  const Token token = windows.open(torrent, file, {.pool = pool, .waker = *this, .disk = *this});
  if (token == 0) return 0;
  const std::lock_guard lock(windowsMutex_);
  channelOfWindow_[token] = std::move(channel);
  return token;
}

void Process::closeWindow(Token window) {
  windows.close(window);
  const std::lock_guard lock(windowsMutex_);
  channelOfWindow_.erase(window);
}

void Process::wake(Token window) {
  std::shared_ptr<Channel> channel;
  {
    const std::lock_guard lock(windowsMutex_);
    const auto found = channelOfWindow_.find(window);
    if (found == channelOfWindow_.end()) return;
    channel = found->second;
  }
  channel->wake(window);
}

}  // namespace torrx
