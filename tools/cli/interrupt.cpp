#include "tools/cli/interrupt.h"

#include <signal.h>

#include <atomic>

namespace hearth::cli {
namespace {

constexpr int kEndsTheProgram = 3;

std::atomic<int> pressed = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // so that a signal handler may touch it

int living = 0;
struct sigaction former = {};

void note(int) {
  if (++pressed < kEndsTheProgram) return;
  signal(SIGINT, SIG_DFL);
  raise(SIGINT);
}

}  // namespace

Interrupt::Interrupt() {
  if (living++ > 0) return;
  pressed = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART: who waits for input wants to know
  sigaction(SIGINT, &action, &former);
}

Interrupt::~Interrupt() {
  if (--living == 0) sigaction(SIGINT, &former, nullptr);
}

bool Interrupt::requested() const {
  return pressed != 0;
}

void Interrupt::clear() {
  pressed = 0;
}

}  // namespace hearth::cli
