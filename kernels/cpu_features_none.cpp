// A CPU that no level but scalar knows.
#include "kernels/cpu_features.h"

namespace hearth::kernels {

const CpuFeatures& cpu_features() {
  static const CpuFeatures kFeatures;
  return kFeatures;
}

}  // namespace hearth::kernels
