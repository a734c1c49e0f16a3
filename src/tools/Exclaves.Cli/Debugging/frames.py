# For gdb: callers by frame records (x29), which all our code keeps and which need no tables (images have none); and breakpoints that are those of one component,
# although all components are linked to the same addresses. The script that includes this sets $component, or not.
import gdb
from gdb.unwinder import Unwinder, register_unwinder


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class FrameRecords(Unwinder):
    def __init__(self):
        super().__init__("exclaves-frame-records")

    def __call__(self, frame):
        pc, x29, x30, sp = (int(frame.read_register(name)) & (2**64 - 1) for name in ("pc", "x29", "x30", "sp"))
        block = gdb.block_for_pc(pc)
        while block is not None and block.function is None:
            block = block.superblock
        if block is None:
            return None

        if pc == block.start:
            caller = (x30, x29, sp)
        elif x29 == 0:
            caller = (0, 0, sp)
        else:
            try:
                record = gdb.selected_inferior().read_memory(x29, 16).tobytes()
            except gdb.MemoryError:
                return None
            caller = (int.from_bytes(record[8:], "little"), int.from_bytes(record[:8], "little"), x29 + 16)

        word = gdb.lookup_type("unsigned long")
        value = lambda number, name: gdb.Value(number).cast(word).cast(frame.read_register(name).type)
        unwound = frame.create_unwind_info(FrameId(value(caller[2], "sp"), value(block.start, "pc")))
        for name, number in zip(("pc", "x29", "sp", "x30"), caller + caller[:1]):
            unwound.add_saved_register(name, value(number, name))
        return unwound


register_unwinder(None, FrameRecords(), replace=True)


# Abi.UserLayout.StartInfo and Abi.StartInfo.Name; where components and .NET programs lie.
NAME = 0x7F00_0001_0008
NAME_BYTES = 64
COMPONENTS = range(0x10_0000_0000, 0x7F00_0000_0000)


class Here(gdb.Function):
    """$here(): whether the CPU is in the component whose symbols are loaded."""

    def __init__(self):
        super().__init__("here")

    def invoke(self):
        try:
            name = gdb.selected_inferior().read_memory(NAME, NAME_BYTES).tobytes().split(b"\0")[0]
        except gdb.MemoryError:
            return False
        return name.decode("ascii", "replace") == gdb.convenience_variable("component").string()


def limit(breakpoint):
    if breakpoint.condition is None and any(place.address in COMPONENTS for place in breakpoint.locations):
        breakpoint.condition = "$here()"


Here()
gdb.events.breakpoint_created.connect(limit)
