#include "engine/device/cpu/blas.h"

#include <dlfcn.h>

#include "base/error.h"

namespace hearth {
namespace {

// Of the interface that OpenBLAS shares with all CBLAS libraries (netlib.org/blas/blast-forum).
constexpr int kRowMajor = 101;
constexpr int kNotTransposed = 111;
constexpr int kTransposed = 112;

constexpr const char* kLibrary = "libopenblas.so.0";

/// `automatic` takes rows from here on: beside them a strip of activations does not stay in the
/// first-level cache, for which OpenBLAS cuts rows in pieces and our kernels do not (bench/README).
constexpr std::int64_t kLeastAutomaticColumns = 4096;

template <class Function>
bool look_up(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

const Blas* Blas::find() {
  static const Blas* const kFound = []() -> const Blas* {
    void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    static Blas blas;
    void (*set_num_threads)(int) = nullptr;
    if (!look_up(library, "cblas_sgemm", blas.sgemm_) ||
        !look_up(library, "openblas_get_config", blas.config_) ||
        !look_up(library, "openblas_set_num_threads", set_num_threads)) {
      return nullptr;
    }
    set_num_threads(1);  // the device's threads share the work out, each by calls of its own
    return &blas;
  }();
  return kFound;
}

std::string Blas::description() const {
  return config_();
}

void Blas::multiply(const float* w, int n_rows, int n_columns, const float* x, int x_stride, int n,
                    float* out, int out_stride) const {
  sgemm_(kRowMajor, kNotTransposed, kTransposed, n, n_rows, n_columns, 1.0F, x, x_stride, w,
         n_columns, 0.0F, out, out_stride);
}

const Blas* find_blas(UseBlas use) {
  if (use == UseBlas::off) return nullptr;
  const Blas* blas = Blas::find();
  if (blas != nullptr || use == UseBlas::automatic) return blas;
  throw Error(Error::Parts{.where = "--blas",
                           .what = "this machine has no OpenBLAS, or none that can be loaded",
                           .expected = std::string(kLibrary) + " (Debian: libopenblas0)",
                           .got = "on"});
}

bool is_for_blas(UseBlas use, QuantType type, std::int64_t n_columns, int n_tokens) {
  if (use == UseBlas::off || n_tokens < kLeastBlasTokens) return false;
  if (use == UseBlas::on) return quant_type_info(type).block_elements == 1;
  return (type == QuantType::F32 || type == QuantType::F16) && n_columns >= kLeastAutomaticColumns;
}

}  // namespace hearth
