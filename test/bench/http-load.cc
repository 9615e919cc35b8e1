// A load generator for test/bench/serve.ts that costs next to nothing itself: one thread, keep-alive sockets, epoll.
// Arguments are key=value: port path connections [authorization] [agent], and either
//   whole=1                              each connection reads the path once; the kernel discards the bytes uncopied
//   requests= file= spanBytes= [bytes= pauseUs= seed=]  random ranges of the first spanBytes, each timed from its
//                                        request to its last byte, and compared with the local file
// Prints one line of JSON: {"bytes","sec"} or {"requests","sec","p50Us","p99Us","maxUs"}.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "http-load: %s\n", what.c_str());
  std::exit(1);
}

class Arguments {
 public:
  Arguments(int count, char** texts) {
    for (int i = 1; i < count; i++) {
      const std::string text = texts[i];
      const size_t equals = text.find('=');
      if (equals == std::string::npos) fail("not key=value: " + text);
      values_[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key, const std::string& otherwise = "") const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }
  uint64_t number(const std::string& key, uint64_t otherwise) const {
    return has(key) ? std::stoull(text(key)) : otherwise;
  }

 private:
  std::map<std::string, std::string> values_;
};

struct Answer {
  size_t headBytes;
  uint64_t lengthBytes;
};

/** The head of an answer, once it is whole. */
bool parseHead(const std::vector<char>& bytes, size_t count, const char* status, Answer& answer) {
  const char* end = static_cast<const char*>(memmem(bytes.data(), count, "\r\n\r\n", 4));
  if (end == nullptr) return false;
  const std::string head(bytes.data(), end + 2);
  if (head.compare(9, 3, status) != 0) fail("unexpected answer: " + head.substr(0, 80));
  for (size_t line = 0; line < head.size(); line = head.find("\r\n", line) + 2) {
    if (strncasecmp(head.c_str() + line, "content-length:", 15) != 0) continue;
    answer = {static_cast<size_t>(end + 4 - bytes.data()), std::stoull(head.substr(line + 15))};
    return true;
  }
  fail("an answer without Content-Length");
}

struct Connection {
  int socket = -1;
  std::vector<char> bytes = std::vector<char>(256 * 1024);
  size_t count = 0;
  bool hasHead = false;
  uint64_t leftBytes = 0;
  uint64_t startBytes = 0;
  Clock::time_point askedAt;
};

class Load {
 public:
  explicit Load(const Arguments& arguments) : arguments_(arguments), random_(arguments.number("seed", 1)) {
    connections_.resize(arguments.number("connections", 1));
    for (size_t i = 0; i < connections_.size(); i++) open(connections_[i], i);
  }

  void readWhole() {
    const auto startedAt = Clock::now();
    for (Connection& connection : connections_) ask(connection, "");
    uint64_t bytes = 0;
    size_t open = connections_.size();
    while (open > 0) {
      forEachReady([&](Connection& connection) {
        if (!connection.hasHead) bytes += takeHead(connection);
        else bytes += discard(connection);
        if (connection.hasHead && connection.leftBytes == 0) open--;
      });
    }
    std::printf("{\"bytes\":%lu,\"sec\":%.6f}\n", bytes, secondsSince(startedAt));
  }

  void readRanges() {
    openFile();
    const uint64_t requests = arguments_.number("requests", 1000);
    std::vector<double> tookUs;
    const auto startedAt = Clock::now();
    for (Connection& connection : connections_) askRange(connection);
    while (tookUs.size() < requests) {
      forEachReady([&](Connection& connection) {
        if (!takeRange(connection)) return;
        tookUs.push_back(std::chrono::duration<double, std::micro>(Clock::now() - connection.askedAt).count());
        compare(connection);
        if (pauseUs_ > 0) usleep(pauseUs_);
        askRange(connection);
      });
    }
    const double sec = secondsSince(startedAt);
    std::sort(tookUs.begin(), tookUs.end());
    const auto at = [&](double share) { return tookUs[std::min(tookUs.size() - 1, size_t(share * tookUs.size()))]; };
    std::printf("{\"requests\":%zu,\"sec\":%.6f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f}\n", tookUs.size(), sec,
                at(0.5), at(0.99), at(1));
  }

 private:
  const Arguments& arguments_;
  std::mt19937_64 random_;
  std::vector<Connection> connections_;
  int poll_ = epoll_create1(0);
  const char* file_ = nullptr;
  uint64_t spanBytes_ = arguments_.number("spanBytes", 0);
  const uint64_t rangeBytes_ = arguments_.number("bytes", 4096);
  const useconds_t pauseUs_ = static_cast<useconds_t>(arguments_.number("pauseUs", 0));

  static double secondsSince(Clock::time_point at) {
    return std::chrono::duration<double>(Clock::now() - at).count();
  }

  void open(Connection& connection, size_t index) {
    connection.socket = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(arguments_.number("port", 0)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
    epoll_event event{EPOLLIN, {.u64 = index}};
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) fail("epoll_ctl");
  }

  void openFile() {
    const int file = ::open(arguments_.text("file").c_str(), O_RDONLY);
    if (file < 0 || spanBytes_ < rangeBytes_) fail("file or spanBytes");
    void* map = mmap(nullptr, spanBytes_, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) fail("mmap");
    file_ = static_cast<const char*>(map);
    close(file);
  }

  template <typename Task>
  void forEachReady(Task task) {
    epoll_event events[64];
    const int count = epoll_wait(poll_, events, 64, 10'000);
    if (count <= 0) fail("no answer in 10 s");
    for (int i = 0; i < count; i++) task(connections_[events[i].data.u64]);
  }

  void ask(Connection& connection, const std::string& range) {
    std::string request = "GET " + arguments_.text("path") + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: " +
                          arguments_.text("agent", "http-load") + "\r\n" + range;
    if (arguments_.has("authorization")) request += "Authorization: " + arguments_.text("authorization") + "\r\n";
    request += "\r\n";
    connection.count = 0;
    connection.hasHead = false;
    connection.askedAt = Clock::now();
    if (send(connection.socket, request.data(), request.size(), 0) != ssize_t(request.size())) fail("send");
  }

  void askRange(Connection& connection) {
    connection.startBytes = std::uniform_int_distribution<uint64_t>(0, spanBytes_ - rangeBytes_)(random_);
    const std::string last = std::to_string(connection.startBytes + rangeBytes_ - 1);
    ask(connection, "Range: bytes=" + std::to_string(connection.startBytes) + "-" + last + "\r\n");
  }

  void receive(Connection& connection, size_t most) {
    if (connection.count + most > connection.bytes.size()) fail("an answer that is too long");
    const ssize_t got = recv(connection.socket, connection.bytes.data() + connection.count, most, 0);
    if (got <= 0) fail("the connection ended");
    connection.count += static_cast<size_t>(got);
  }

  /** The count of body bytes that came with it. */
  uint64_t takeHead(Connection& connection) {
    receive(connection, 64 * 1024);
    Answer answer{};
    if (!parseHead(connection.bytes, connection.count, "200", answer)) return 0;
    connection.hasHead = true;
    const uint64_t bytes = connection.count - answer.headBytes;
    connection.leftBytes = answer.lengthBytes - bytes;
    return bytes;
  }

  uint64_t discard(Connection& connection) {
    const size_t most = std::min<uint64_t>(connection.leftBytes, 16 * 1024 * 1024);
    const ssize_t got = recv(connection.socket, nullptr, most, MSG_TRUNC);
    if (got <= 0) fail("the connection ended");
    connection.leftBytes -= static_cast<uint64_t>(got);
    return static_cast<uint64_t>(got);
  }

  bool takeRange(Connection& connection) {
    receive(connection, 32 * 1024);
    Answer answer{};
    if (!parseHead(connection.bytes, connection.count, "206", answer)) return false;
    if (answer.lengthBytes != rangeBytes_) fail("a range of the wrong length");
    return connection.count == answer.headBytes + answer.lengthBytes;
  }

  void compare(const Connection& connection) {
    const char* body = connection.bytes.data() + connection.count - rangeBytes_;
    if (memcmp(body, file_ + connection.startBytes, rangeBytes_) != 0) fail("wrong bytes");
  }
};

}  // namespace

int main(int count, char** texts) {
  const Arguments arguments(count, texts);
  Load load(arguments);
  if (arguments.has("whole")) load.readWhole();
  else load.readRanges();
}
