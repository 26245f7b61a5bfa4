#include "engine/convert/hf_rope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string_view>

namespace hearth {
namespace {

using Json = nlohmann::json;

class RopeWriter {
 public:
  RopeWriter(const Checkpoint& checkpoint, const HfFamily& family, gguf::Writer& writer)
      : checkpoint_(checkpoint), config_(checkpoint.config()), family_(family), writer_(writer) {
    // rope_parameters is its name in newer files, which have the base in it, too, and one such
    // object for each kind of layers.
    for (const char* name : {"rope_scaling", "rope_parameters"}) {
      const auto found = config_.find(name);
      if (found == config_.end() || found->is_null()) continue;
      scaling_ = *found;
      if (!scaling_.is_object()) refuse(name, "is no object", "{…}", scaling_.dump());
    }
    if (scaling_.contains("full_attention")) {
      local_ = scaling_.value("sliding_attention", Json::object());
      scaling_ = scaling_.value("full_attention", Json::object());
    }
  }

  std::vector<RopeTensor> run() {
    const bool is_learned = family_.is_encoder || !config_.contains("num_attention_heads");
    if (is_learned) return {};
    const double head_dim =
        positive(config_, "head_dim")
            .value_or(required(config_, "hidden_size") / required(config_, "num_attention_heads"));
    n_rot_ = static_cast<std::size_t>(head_dim *
                                      positive(config_, "partial_rotary_factor").value_or(1.0));
    constexpr std::size_t kMostColumns = 1 << 16;
    if (n_rot_ > kMostColumns) {
      refuse("head_dim", "is too large", fmt::format("at most {}", kMostColumns),
             fmt::format("{}", n_rot_));
    }
    writer_.set(key("dimension_count"), static_cast<std::uint32_t>(n_rot_));
    write_base(scaling_, "freq_base");
    write_base(local_, "freq_base_swa");
    const std::string type = scaling_.value("rope_type", scaling_.value("type", "default"));
    std::vector<std::string_view> known;
    for (const Kind& kind : kKinds) {
      if (kind.name == type) return (this->*kind.write)();
      known.push_back(kind.name);
    }
    refuse("rope_scaling", "is of a kind that cannot be converted",
           fmt::format("one of {}", fmt::join(known, ", ")), type);
  }

 private:
  using Tensors = std::vector<RopeTensor>;
  struct Kind {
    std::string_view name;
    Tensors (RopeWriter::*write)();
  };
  static const Kind kKinds[6];

  std::string key(std::string_view suffix) const {
    return fmt::format("{}.rope.{}", family_.arch, suffix);
  }

  [[noreturn]] void refuse(std::string_view name, std::string_view what, std::string expected,
                           std::string got) const {
    checkpoint_.refuse("config.json", fmt::format("{} {}", name, what), std::move(expected),
                       std::move(got));
  }

  std::optional<double> positive(const Json& from, std::string_view name) const {
    const auto found = from.find(name);
    if (found == from.end() || found->is_null()) return std::nullopt;
    const double number = found->is_number() ? found->get<double>() : 0.0;
    if (number > 0.0 && number <= 1e9) return number;
    refuse(name, "is not a number that can be", "more than 0", found->dump());
  }

  double required(const Json& from, std::string_view name) const {
    if (const auto number = positive(from, name)) return *number;
    refuse(name, "is not there", "a number", "nothing");
  }

  /// A base that does not stand in config.json itself, but in what belongs to a kind of layers.
  void write_base(const Json& inside, std::string_view suffix) {
    if (const auto base = positive(inside, "rope_theta")) {
      writer_.set(key(suffix), static_cast<float>(*base));
    }
  }

  double base() const {
    if (const auto inside = positive(scaling_, "rope_theta")) return *inside;
    return positive(config_, "rope_theta").value_or(10000.0);
  }

  /// The context before it was stretched: beside the scaling, or in it.
  double original_context() const {
    if (const auto inside = positive(scaling_, "original_max_position_embeddings")) return *inside;
    if (const auto beside = positive(config_, "original_max_position_embeddings")) return *beside;
    return required(config_, "max_position_embeddings");
  }

  void write_original_context() {
    writer_.set(key("scaling.original_context_length"),
                static_cast<std::uint32_t>(original_context()));
  }

  Tensors none() { return {}; }

  Tensors linear() {
    writer_.set(key("scaling.type"), "linear");
    writer_.set(key("scaling.factor"), static_cast<float>(required(scaling_, "factor")));
    return {};
  }

  /// Frequencies that turn less than low_freq_factor times in the original context are divided by
  /// the factor, those that turn more than high_freq_factor times are not, and between the share
  /// grows with the turns. (The reference: Llama 3.1's apply_scaling.)
  Tensors llama3() {
    const double factor = required(scaling_, "factor");
    const double low = required(scaling_, "low_freq_factor");
    const double high = required(scaling_, "high_freq_factor");
    if (high <= low) refuse("high_freq_factor", "is too low", "more than low_freq_factor", "");
    RopeTensor divisors{.name = "rope_freqs.weight", .values = {}};
    for (std::size_t i = 0; i < n_rot_ / 2; ++i) {
      const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(n_rot_);
      const double turns =
          original_context() * std::pow(base(), exponent) / (2.0 * std::numbers::pi);
      const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
      divisors.values.push_back(static_cast<float>(1.0 / ((1.0 - kept) / factor + kept)));
    }
    return {divisors};
  }

  static double sharpening(double factor, double multiplier) {
    return factor <= 1.0 ? 1.0 : 0.1 * multiplier * std::log(factor) + 1.0;
  }

  /// The engine sharpens scores by 0.1 ln(factor) + 1; where the file wants another factor, the
  /// quotient is written.
  Tensors yarn() {
    const double factor = required(scaling_, "factor");
    writer_.set(key("scaling.type"), "yarn");
    writer_.set(key("scaling.factor"), static_cast<float>(factor));
    write_original_context();
    std::optional<double> wanted = positive(scaling_, "attention_factor");
    const auto mscale = positive(scaling_, "mscale");
    const auto mscale_all = positive(scaling_, "mscale_all_dim");
    if (!wanted && mscale && mscale_all) {
      wanted = sharpening(factor, *mscale) / sharpening(factor, *mscale_all);
    }
    if (wanted) {
      writer_.set(key("scaling.attn_factor"),
                  static_cast<float>(*wanted / sharpening(factor, 1.0)));
    }
    for (const auto& [name, suffix] : {std::pair("beta_fast", "scaling.yarn_beta_fast"),
                                       std::pair("beta_slow", "scaling.yarn_beta_slow")}) {
      if (const auto beta = positive(scaling_, name)) {
        writer_.set(key(suffix), static_cast<float>(*beta));
      }
    }
    return {};
  }

  RopeTensor listed(std::string_view from, std::string_view to) const {
    const auto found = scaling_.find(from);
    RopeTensor tensor{.name = std::string(to), .values = {}};
    if (found == scaling_.end() || !found->is_array() || found->size() != n_rot_ / 2) {
      refuse(from, "is not as long as it must be", fmt::format("{} numbers", n_rot_ / 2),
             found == scaling_.end() ? "nothing" : fmt::format("{}", found->size()));
    }
    for (const Json& value : *found) {
      const double number = value.is_number() ? value.get<double>() : 0.0;
      if (number <= 0.0) refuse(from, "has a divisor that cannot be", "more than 0", value.dump());
      tensor.values.push_back(static_cast<float>(number));
    }
    return tensor;
  }

  /// arXiv 2402.13753. The scores' factor is sqrt(1 + ln(stretch) / ln(original context)).
  Tensors longrope() {
    const double original = original_context();
    const double stretch = positive(scaling_, "factor")
                               .value_or(required(config_, "max_position_embeddings") / original);
    const double usual =
        stretch <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(stretch) / std::log(original));
    writer_.set(key("scaling.type"), "longrope");
    write_original_context();
    writer_.set(key("scaling.attn_factor"),
                static_cast<float>(positive(scaling_, "attention_factor").value_or(usual)));
    return {listed("long_factor", "rope_factors_long.weight"),
            listed("short_factor", "rope_factors_short.weight")};
  }

  const Checkpoint& checkpoint_;
  const Json& config_;
  const HfFamily& family_;
  gguf::Writer& writer_;
  Json scaling_ = Json::object();
  Json local_ = Json::object();  // of windowed layers
  std::size_t n_rot_ = 0;
};

const RopeWriter::Kind RopeWriter::kKinds[6] = {
    {"default", &RopeWriter::none},      {"linear", &RopeWriter::linear},
    {"llama3", &RopeWriter::llama3},     {"yarn", &RopeWriter::yarn},
    {"longrope", &RopeWriter::longrope}, {"su", &RopeWriter::longrope},  // as it was called first
};

}  // namespace

std::vector<RopeTensor> write_rope(const Checkpoint& checkpoint, const HfFamily& family,
                                   gguf::Writer& writer) {
  return RopeWriter(checkpoint, family, writer).run();
}

}  // namespace hearth
