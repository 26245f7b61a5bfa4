// The built program on a terminal of its own: what a person types and sees.
#pragma once

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hearth::test {

class TerminalSession {
 public:
  /// Starts `hearth args...`. HEARTH_PROGRAM is the path of the program.
  explicit TerminalSession(const std::vector<std::string>& args) {
    std::vector<std::string> words = {HEARTH_PROGRAM};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = forkpty(&fd_, nullptr, nullptr, nullptr);
    if (child_ < 0) throw std::runtime_error("no terminal");
    if (child_ == 0) {
      termios modes = {};
      tcgetattr(STDIN_FILENO, &modes);
      modes.c_iflag |= IUTF8;  // as terminals do: Backspace takes a character back, not a byte
      tcsetattr(STDIN_FILENO, TCSANOW, &modes);
      setenv("TERM", "xterm", 1);
      execv(HEARTH_PROGRAM, argv.data());
      _exit(127);
    }
  }
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;
  ~TerminalSession() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(fd_);
  }

  /// Presses keys; "\x03" is Ctrl-C, "\x04" Ctrl-D, "\r" Enter.
  void type(std::string_view keys) {
    while (!keys.empty()) {
      const ssize_t n = write(fd_, keys.data(), keys.size());
      if (n <= 0) throw std::runtime_error("the terminal takes no keys");
      keys.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Waits until `text` is shown after what was waited for before; false after a minute or at the
  /// end of the program.
  bool sees(std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
      const std::size_t at = screen_.find(text, seen_);
      if (at != std::string::npos) {
        seen_ = at + text.size();
        return true;
      }
      if (std::chrono::steady_clock::now() > deadline || !read_some()) return false;
    }
  }

  /// Waits until the line editor has taken the terminal over; false after a minute. Before that the
  /// terminal itself handles what is typed, as it does during an answer.
  bool is_edited() {
    for (int i = 0; i < 6'000; ++i) {
      termios modes = {};
      if (tcgetattr(fd_, &modes) == 0 && !(modes.c_lflag & ICANON)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  /// Presses Ctrl-D, and returns as wait() does.
  int leave() {
    type("\x04");
    return wait();
  }

  /// Everything shown so far, escape sequences included.
  const std::string& screen() const { return screen_; }

  /// Waits for the end of the program: its exit code, or 128 and the signal that ended it. After a
  /// minute of silence that is ours, SIGKILL.
  int wait() {
    while (read_some()) {
    }
    if (!closed_) kill(child_, SIGKILL);
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  bool read_some() {
    constexpr int kPatience = 60'000;  // ms
    pollfd waiting = {fd_, POLLIN, 0};
    if (poll(&waiting, 1, kPatience) <= 0) return false;
    char buffer[4096];
    const ssize_t n = read(fd_, buffer, sizeof buffer);
    closed_ = n <= 0;  // EIO: the program has closed its terminal
    if (closed_) return false;
    screen_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  pid_t child_ = -1;
  int fd_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
  bool closed_ = false;
};

}  // namespace hearth::test
