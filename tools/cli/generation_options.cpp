#include "tools/cli/generation_options.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <random>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "tools/cli/command_line.h"

namespace hearth::cli {
namespace {

std::pair<TokenId, double> parse_bias(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign != std::string::npos) {
    TokenId id = 0;
    const char* id_end = text.data() + sign;
    const auto parsed = std::from_chars(text.data(), id_end, id);
    char* bias_end = nullptr;
    const double bias = std::strtod(id_end + 1, &bias_end);
    const bool whole = bias_end != id_end + 1 && *bias_end == '\0';
    if (parsed.ec == std::errc() && parsed.ptr == id_end && whole) return {id, bias};
  }
  throw Error(Error::Parts{.where = "--logit-bias",
                           .what = "this is not a token and its bias",
                           .expected = "ID=BIAS, such as 15=-2.5, or 15=-inf to ban a token",
                           .got = "\"" + text + "\""});
}

std::string unescaped(std::string_view text) {
  constexpr std::pair<char, char> kEscapes[] = {
      {'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'\\', '\\'}};
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    if (text[i] != '\\' || i + 1 == text.size()) continue;
    for (const auto& [letter, meaning] : kEscapes) {
      if (text[i + 1] != letter) continue;
      plain.back() = meaning;
      ++i;
      break;
    }
  }
  return plain;
}

}  // namespace

void add_generation_options(Command& command, GenerationOptions& options) {
  constexpr const char* kGroup = "Sampling";
  SamplingOptions& s = options.sampling;
  const auto add = [&command](const char* name, auto& value, const char* help) {
    command.option(name, value, help).shows_default().group(kGroup);
  };
  add("--temp", s.temperature, "temperature; 0 takes the likeliest token every time");
  add("--top-k", s.top_k, "draw from the k likeliest tokens; 0: from all");
  add("--top-p", s.top_p, "draw from the likeliest tokens that together reach p; 1: off");
  add("--min-p", s.min_p, "leave out tokens less likely than this share of the best; 0: off");
  add("--repeat-penalty", s.repeat_penalty, "make recent tokens less likely; 1: off");
  add("--presence-penalty", s.presence_penalty, "taken from every recent token's logit; 0: off");
  add("--frequency-penalty", s.frequency_penalty, "taken once per recent occurrence; 0: off");
  add("--penalty-window", s.penalty_window, "how many tokens are recent; -1: the whole context");
  command.option("--logit-bias", options.logit_bias, "ID=BIAS, added to the logit of a token")
      .one_at_a_time()
      .type("ID=BIAS")
      .group(kGroup);
  command.option("--seed", options.seed, "seed of the draws (default: a new one every time)")
      .group(kGroup);
  command.option("-n,--max-tokens", options.max_tokens, "tokens at most; -1: no limit")
      .shows_default();
  command.flag("--ignore-end", options.ignore_end,
               "never draw a token that ends the answer: go on to -n or a full context");
  command
      .option("--stop", options.stop,
              "end before this text (\\n, \\t and \\\\ are understood); may be repeated")
      .one_at_a_time();
}

std::uint64_t settle_seed(GenerationOptions& options) {
  if (!options.seed) {
    std::random_device device;
    options.seed = std::uint64_t{device()};
  }
  return *options.seed;
}

Sampler make_sampler(GenerationOptions& options, const Tokenizer& tokenizer) {
  SamplingOptions sampling = options.sampling;
  for (const std::string& text : options.logit_bias) {
    sampling.logit_bias.push_back(parse_bias(text));
  }
  sampling.never_penalised = tokenizer.vocab().end_of_generation;
  if (options.ignore_end) {
    constexpr double kBanned = -std::numeric_limits<double>::infinity();
    for (const TokenId id : sampling.never_penalised) sampling.logit_bias.emplace_back(id, kBanned);
  }
  return Sampler(std::move(sampling), settle_seed(options), tokenizer.n_tokens());
}

GenerateOptions make_generate_options(const GenerationOptions& options) {
  GenerateOptions made;
  made.max_tokens = options.max_tokens;
  for (const std::string& text : options.stop) made.stop.push_back(unescaped(text));
  made.stop_repetition = options.max_tokens < 0;  // who gave a limit gets that many
  return made;
}

}  // namespace hearth::cli
