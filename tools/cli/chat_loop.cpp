#include "tools/cli/chat_loop.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "engine/runtime/conversation.h"
#include "tools/cli/command_line.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress_bar.h"
#include "tools/cli/terminal.h"

namespace hearth::cli {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";
constexpr const char* kMore = "... ";
constexpr const char* kStopped = "(stopped before the answer; the message is forgotten)";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::string path_argument(const std::string& argument, std::string_view command) {
  if (!argument.empty()) return argument;
  throw Error(Error::Parts{.where = std::string(command),
                           .what = "needs the name of a file",
                           .expected = fmt::format("{} FILE", command),
                           .got = {}});
}

std::string count(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

}  // namespace

struct ChatLoop::Command {
  std::string_view name, argument, help;
  Next (ChatLoop::*run)(const std::string& argument);
};

constexpr ChatLoop::Command ChatLoop::kCommands[] = {
    {"/help", "", "this list", &ChatLoop::help},
    {"/clear", "", "forget the conversation, keep the system prompt", &ChatLoop::clear},
    {"/system", "[TEXT|off]", "show or change the system prompt", &ChatLoop::system},
    {"/save", "FILE", "write the conversation to a file", &ChatLoop::save},
    {"/load", "FILE", "go on with the conversation in a file", &ChatLoop::load},
    {"/regen", "", "another answer to the last message", &ChatLoop::regenerate},
    {"/stats", "", "tokens, speed, context, sampling", &ChatLoop::stats},
    {"/why", "", "with --kb: what was searched for, and what was found", &ChatLoop::why},
    {"/quit", "", "leave (so does Ctrl-D)", &ChatLoop::quit},
};

ChatLoop::ChatLoop(Session& session, LineEditor& input, std::string settings,
                   ChatGrounding* grounding)
    : session_(session), input_(input), settings_(std::move(settings)), grounding_(grounding) {}

void ChatLoop::run() {
  bool interrupted = false;
  for (;;) {
    std::string message;
    const LineEvent event = read_message(message);
    if (event == LineEvent::end || (event == LineEvent::interrupted && interrupted)) break;
    interrupted = event == LineEvent::interrupted;
    if (interrupted) {
      notice("\n(Ctrl-C again or Ctrl-D leaves)");
      continue;
    }
    try {
      if (handle(message) == Next::leave) return;
    } catch (const Error& error) {
      if (!input_.is_interactive()) throw;
      fmt::print(stderr, "{}\n", styled(error.what(), Style::error, stderr));
    }
  }
  if (input_.is_interactive()) notice("");
}

// A message is a line; or lines that end with a backslash and the one after; or what stands between
// """ and """.
LineEvent ChatLoop::read_message(std::string& message) {
  const LineEvent event = input_.read("> ", message);
  if (event != LineEvent::line) return event;
  std::string more;
  const auto read_more = [&] { return input_.read(kMore, more); };
  if (message.starts_with(kQuotes)) {
    message.erase(0, kQuotes.size());
    while (!message.ends_with(kQuotes)) {
      const LineEvent next = read_more();
      if (next == LineEvent::interrupted) return next;
      if (next == LineEvent::end) return LineEvent::line;
      message += (message.empty() ? "" : "\n") + more;
    }
    message.erase(message.size() - kQuotes.size());
    return LineEvent::line;
  }
  while (message.ends_with('\\')) {
    message.back() = '\n';
    const LineEvent next = read_more();
    if (next == LineEvent::interrupted) return next;
    if (next == LineEvent::end) break;
    message += more;
  }
  return LineEvent::line;
}

ChatLoop::Next ChatLoop::handle(const std::string& message) {
  if (trimmed(message).empty()) return Next::go_on;
  if (message.starts_with('/') && !message.starts_with("//")) return obey(message);
  const std::string question = message.substr(message.starts_with("//") ? 1 : 0);
  if (grounding_) {
    answer_from_index(question);
  } else {
    answer([&](const GenerateHooks& hooks) { return session_.ask(question, hooks); });
  }
  return Next::go_on;
}

void ChatLoop::answer_from_index(const std::string& question) {
  const Interrupt interrupt;
  std::optional<std::string> prompt;
  {
    ProgressBar bar("rewriting");
    prompt = grounding_->prompt_for(question, session_,
                                    {.on_prefill = bar.progress(),
                                     .cancelled = [&interrupt] { return interrupt.requested(); }});
  }
  if (interrupt.requested()) {
    if (!input_.is_interactive()) throw Cancelled();
    notice(kStopped);
  } else if (!prompt) {
    write_output(std::string(kNotInDocuments) + "\n");
  } else {
    answer([&](const GenerateHooks& hooks) { return session_.ask_with(question, *prompt, hooks); });
    write_output(grounding_->sources());
  }
}

ChatLoop::Next ChatLoop::obey(const std::string& line) {
  const std::size_t space = line.find_first_of(" \t\n");
  const std::string name = line.substr(0, space);
  const std::string argument(space == std::string::npos ? "" : trimmed(line.substr(space)));
  for (const Command& command : kCommands) {
    if (command.name == name) return (this->*command.run)(argument);
  }
  throw Error(
      Error::Parts{.where = name,
                   .what = "no such command",
                   .expected = "one that /help lists, or // to begin a message with a slash",
                   .got = {}});
}

void ChatLoop::answer(const std::function<Reply(const GenerateHooks&)>& ask) {
  const Interrupt interrupt;
  ProgressBar bar("reading");
  const Reply reply = ask({.on_text =
                               [&bar](std::string_view text) {
                                 bar.clear();
                                 write_output(text);
                               },
                           .on_prefill = bar.progress(),
                           .cancelled = [&interrupt] { return interrupt.requested(); }});
  bar.clear();
  if (!reply.generation.text.ends_with('\n')) write_output("\n");
  report(reply);
  if (interrupt.requested() && !input_.is_interactive()) throw Cancelled();
}

void ChatLoop::report(const Reply& reply) const {
  if (reply.dropped_turns > 0) {
    notice(fmt::format("(the model no longer sees the oldest {}: the context is full)",
                       count(session_.dropped_turns(), "turn")));
  }
  const Generation& made = reply.generation;
  if (!reply.kept) {
    notice(kStopped);
    return;
  }
  if (made.finish != FinishReason::end && made.finish != FinishReason::stop) {
    notice(fmt::format("({})", finish_reason_text(made.finish)));
  }
  if (!input_.is_interactive()) return;
  notice(fmt::format("[{}, {:.1f} tokens/s]\n", count(made.tokens.size(), "token"),
                     made.stats.decode_tokens_per_second()));
}

ChatLoop::Next ChatLoop::help(const std::string&) {
  for (const Command& command : kCommands) {
    notice(fmt::format("{:20} {}", fmt::format("{} {}", command.name, command.argument),
                       command.help));
  }
  notice("Several lines: between \"\"\" and \"\"\", or with \\ at the end of a line.");
  notice("Ctrl-C stops an answer.");
  return Next::go_on;
}

ChatLoop::Next ChatLoop::clear(const std::string&) {
  session_.clear();
  notice("(the conversation is forgotten)");
  return Next::go_on;
}

ChatLoop::Next ChatLoop::system(const std::string& argument) {
  if (!argument.empty()) session_.set_system(argument == "off" ? "" : argument);
  const std::string& now = session_.conversation().system;
  notice(now.empty() ? "(no system prompt)" : fmt::format("(system prompt: {})", now));
  return Next::go_on;
}

ChatLoop::Next ChatLoop::save(const std::string& argument) {
  const std::string path = path_argument(argument, "/save");
  save_conversation(session_.conversation(), path);
  notice(
      fmt::format("(saved {} to {})", count(session_.conversation().turns.size(), "turn"), path));
  return Next::go_on;
}

ChatLoop::Next ChatLoop::load(const std::string& argument) {
  const std::string path = path_argument(argument, "/load");
  session_.replace(load_conversation(path));
  notice(fmt::format("(loaded {} from {})", count(session_.conversation().turns.size(), "turn"),
                     path));
  return Next::go_on;
}

ChatLoop::Next ChatLoop::regenerate(const std::string&) {
  answer([&](const GenerateHooks& hooks) { return session_.regenerate(hooks); });
  return Next::go_on;
}

ChatLoop::Next ChatLoop::stats(const std::string&) {
  const Session::Totals& totals = session_.totals();
  const GenerationStats& sum = totals.stats;
  notice(fmt::format("context  {} of {} tokens, {} kept for an answer",
                     session_.cache().tokens().size(), session_.cache().evaluator().n_ctx(),
                     session_.reserved_for_answer()));
  notice(fmt::format("turns    {}, of which the model no longer sees {}",
                     session_.conversation().turns.size(), session_.dropped_turns()));
  notice(fmt::format("prompts  {} tokens, {} of them reused, {:.1f} tokens/s", sum.prompt_tokens,
                     sum.reused_tokens, sum.prefill_tokens_per_second()));
  notice(fmt::format("answers  {}, {} tokens, {:.1f} tokens/s", totals.answers, sum.answer_tokens,
                     sum.decode_tokens_per_second()));
  notice(settings_);
  return Next::go_on;
}

ChatLoop::Next ChatLoop::why(const std::string&) {
  notice(grounding_ ? grounding_->why() : "(this conversation has no index: hearth chat --kb)");
  return Next::go_on;
}

ChatLoop::Next ChatLoop::quit(const std::string&) {
  return Next::leave;
}

}  // namespace hearth::cli
