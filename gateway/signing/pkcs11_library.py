"""A PKCS#11 library of this process: initialised for many threads, and anew when needed.

python-pkcs11 initialises without arguments, by which the application promises to use one
thread (PKCS#11 3.1, 5.4.4), and then calls without Python's lock: two threads in SoftHSM end
the process. So the library is initialised here, with CKF_OS_LOCKING_OK.

A token that came back is seen only after the library was finalised and initialised. That
ends every session of the process, and waits until no call is inside.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11.exceptions import GeneralError

PATIENCE = 10.0
"""Seconds to wait until nobody is inside the library."""

_OS_LOCKING_OK = 2
_OK, _NOT_INITIALIZED = 0, 0x190


class _Arguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS."""

    _fields_ = (
        ("mutexes", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _Functions(ctypes.Structure):
    """The head of CK_FUNCTION_LIST."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


class Library:
    """A library, and how many calls are inside it. Safe for many threads."""

    def __init__(self, path: Path) -> None:
        """Nothing is loaded before it is used."""
        self._path = path
        self._gate = threading.Condition()
        self._inside = 0
        self._renewing = False
        self._loaded: Any = None
        self._functions: Any = None
        self.generation = 0

    @contextmanager
    def inside(self) -> Iterator[Any]:
        """Be counted as inside; yields python-pkcs11's face of the library."""
        with self._gate:
            if not self._gate.wait_for(lambda: not self._renewing, PATIENCE):
                raise GeneralError("the library does not end its calls")
            if self._loaded is None:
                self._load()
            self._inside += 1
        try:
            yield self._loaded
        finally:
            with self._gate:
                self._inside -= 1
                self._gate.notify_all()

    def _load(self) -> None:
        loaded = pkcs11.lib(str(self._path))
        loaded.finalize()
        found = ctypes.POINTER(_Functions)()
        _expect(ctypes.CDLL(str(self._path)).C_GetFunctionList(ctypes.byref(found)))
        self._functions = found.contents
        self._initialize()
        self._loaded = loaded

    def _initialize(self) -> None:
        arguments = _Arguments(flags=_OS_LOCKING_OK)
        _expect(self._functions.initialize(ctypes.byref(arguments)))

    def renew(self, generation: int) -> None:
        """Finalise and initialise, unless somebody did since `generation`."""
        with self._gate:
            if self._renewing or generation != self.generation or self._loaded is None:
                return
            self._renewing = True
            try:
                if self._gate.wait_for(lambda: not self._inside, PATIENCE):
                    self.generation += 1
                    _expect(self._functions.finalize(None), _NOT_INITIALIZED)
                    self._initialize()
            finally:
                self._renewing = False
                self._gate.notify_all()


def _expect(value: int, *also: int) -> None:
    """Raise unless a CK_RV is CKR_OK, or one that is as good."""
    if value not in (_OK, *also):
        raise GeneralError(f"CK_RV {value:#x}")


_libraries: dict[Path, Library] = {}
_loading = threading.Lock()


def library(path: Path) -> Library:
    """Return the one object for a library of this process."""
    with _loading:
        return _libraries.setdefault(path, Library(path))
