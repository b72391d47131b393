// A stand-in for the driver of some GPUs: the part of NVML that pynvml is asked for, and of CUDA that the sandbox tries.
// Compiled with -DGPUS=2 for two; -DFORBIDDEN=0: those up to GPU 0 are another user's; -DLOST=0: those up to GPU 0 fell
// off the bus; -DSHARED: they have no memory of their own.
#include <stdio.h>

#define NOT_SUPPORTED 3
#define NO_PERMISSION 4
#define NOT_FOUND 6
#define GPU_IS_LOST 15

typedef struct { int index; } Gpu;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned pid; unsigned long long used; unsigned instance, compute_instance; } Process;

static Gpu gpus[GPUS];

const char *nvmlErrorString(int error) {
    return error == GPU_IS_LOST ? "GPU is lost" : error == NOT_SUPPORTED ? "Not Supported" : "Not Found";
}
int nvmlInit_v2(void) { return 0; }
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "570.1"); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = GPUS; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Gpu **gpu) {
    if (index >= GPUS) return NOT_FOUND;
#ifdef FORBIDDEN
    if (index <= FORBIDDEN) return NO_PERMISSION;
#endif
#ifdef LOST
    if (index <= LOST) return GPU_IS_LOST;
#endif
    gpus[index].index = index;
    *gpu = &gpus[index];
    return 0;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, Gpu **gpu) {
    unsigned index;
    return sscanf(uuid, "GPU-%u", &index) == 1 ? nvmlDeviceGetHandleByIndex_v2(index, gpu) : NOT_FOUND;
}
int nvmlDeviceGetUUID(Gpu *gpu, char *text, unsigned size) { snprintf(text, size, "GPU-%d", gpu->index); return 0; }
int nvmlDeviceGetName(Gpu *gpu, char *text, unsigned size) { snprintf(text, size, "Stand-in"); return 0; }
int nvmlDeviceGetMigMode(Gpu *gpu, unsigned *now, unsigned *later) { return NOT_SUPPORTED; }
int nvmlDeviceGetPowerManagementLimit(Gpu *gpu, unsigned *milliwatts) { *milliwatts = 700000; return 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(Gpu *gpu, unsigned *count, Process *processes) { *count = 0; return 0; }

int nvmlDeviceGetMemoryInfo(Gpu *gpu, Memory *memory) {
#ifdef SHARED
    return NOT_SUPPORTED;
#else
    memory->total = 80ULL << 30;
    memory->used = 1ULL << 30;
    memory->free = memory->total - memory->used;
    return 0;
#endif
}

int cuInit(unsigned flags) { return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = gpus; return 0; }
