"""Pieces of notebooks for the property tests: what people write beside the plainest. ``{x}`` and so on are names."""

from __future__ import annotations

PIECES = """
{x} = list(map(lambda v: v + {y}, [{n}]))[0]
---
{x} = sorted([1, 2], key=lambda v: v * {y} + {z})[0]
---
class K:
    n = max([1, 2], key=lambda v: v * {x})
    def get(self): return self.n + {y}
---
def f(p=(lambda: {x})()): return p + {y}
---
sum = {n}
del sum
def f(): return sum([{x}, {y}])
---
len = {x}
{y} = len + 1
del len
def h(): return len([1]) + {y} + g()
---
def f(): return {x}
def junk(): return f
del junk
---
k = {{'a': [1, {n}]}}
del k['a'][0]
def f(): return len(k['a']) + {x}
---
class O: pass
o = O()
o.p = {x}
o.q = 1
del o.q
def f(): return len(vars(o)) + o.p
---
for i in range(3):
    tmp = i
    {x} += tmp
    del tmp
---
async def later(p={x}): return p + {y}

def f():
    import asyncio
    return asyncio.run(later())
---
async def each():
    for i in range({n}):
        yield i + {x}

async def total(): return sum([i async for i in each()])

def g():
    import asyncio
    return asyncio.run(total()) + f()
---
def gen(m={n}):
    for i in range(m): yield i + {x}

def g(): return sum(gen()) + {y}
---
from math import *
{x} = floor(pi) + {n}
---
from math import *
def f(): return floor(pi) + {x}
---
from string import *
from math import *
def g(): return len(digits) + floor(e) + f()
---
Alias = int | None
def f(p: Alias = {x}) -> 'Alias': return p + {y}
---
from typing import TypeVar, Generic
T = TypeVar('T')

class K(Generic[T]):
    n = {x}
    def get(self) -> T: return self.n + {y}
---
cache = {{}}
cache[{n}] = {x}
def f(): return cache.get({n}, 0) + {y}
---
rows = []
rows += [{x}]
def f(): return sum(rows) + {y}
---
rows = [0]
rows[0] = {x}
rows[0] += {n}
def f(): return sum(rows) + {y}
---
if __name__ == '__main__':
    {x} = {n} + 100
else:
    {y} = {y}
---
if __name__ == '__main__':
    print({x})
---
if {x} % 2:
    def f(): return {y}
else:
    def f(): return {z} + {n}
---
try:
    import nowhere
    def f(): return nowhere.x
except ImportError:
    def f(p={x}): return p + {y}
---
try:
    import numpy_of_nowhere as np
except ImportError:
    np = None
def f(): return {x} if np is None else np.x
---
for i in range(3):
    def f(p=i): return p + {x}
---
if {n} > 4:
    class K:
        n = {x}
        def get(self): return self.n
else:
    class K:
        n = {y}
        def get(self): return self.n + 1
---
with open('/dev/null') as file:
    def g(p=len(file.name)): return p + {x} + f()
---
if {x} > {n}:
    {y} = 1
elif {x} > 1:
    {z} = 2

---
tmp = {x}
def f(p=tmp): return p + {y}
del tmp
---
{x} = {n}
del {x}
{x} = {y} + {z} if False else {n}
---
def f(): return {x}
del f
def f(): return {y} + {n}
---
d['m'] = {x}
del d['m']
---
del d['k']
d['k'] = {x}
---
k = {{'a': {x}, 'b': 1}}
del k['b']
def f(): return sum(k.values())
---
{x} = (lambda: ({y} + {n}))()
---
def f(): return [y for y in range(3) if (last := y) + {x}] and last
---
g2 = [(lambda i=i: i + {x}) for i in range(3)]
def f(): return g2[1]()
---
g3 = [lambda: {x} + {n} for i in range(3)]
def f(): return g3[1]()
---
print(({x} := {n}) + {y})
---
{x} = {{k: v for k, v in [(1, {y})]}}[1]
---
def f(p=[{x} for _ in range(2)], q={{{y}: {n}}}): return sum(p) + len(q)
---
import functools
@functools.lru_cache
def f(p={x}): return p + {y}
---
import functools
def deco(n):
    def outer(w):
        @functools.wraps(w)
        def inner(*p): return w(*p) + n + {x}
        return inner
    return outer

@deco({y})
def f(p={z}): return p
---
@property
def prop(self): return {x}
class K:
    p = prop
    def get(self): return self.p + {y}
---
from contextlib import contextmanager
@contextmanager
def held(): yield {x}

def f():
    with held() as v: return v + {y}
---
from functools import singledispatch
@singledispatch
def one(v): return {x}
@one.register
def _(v: int): return {y} + v
def f(): return one({n}) + one('a')
---
from dataclasses import dataclass, field
from enum import Enum
class E(Enum):
    A = {x}
    B = {n}
@dataclass(frozen=True)
class P:
    e: E = E.A
    l: list = field(default_factory=lambda: [{y}])
    def get(self): return self.e.value + sum(self.l)
def f(): return P().get()
---
def f(): return f.n + {x}
f.n = {y}
---
def even(n): return {x} if n == 0 else odd(n - 1)
def odd(n): return {y} if n == 0 else even(n - 1)
def f(): return even({n})
---
def f(n={n}): return {x} if n == 0 else f(n - 1) + 1
---
def outer():
    v = {x}
    class L:
        w = v
        def get(self): return v + self.w + {y}
    return L().get()
def g(): return outer() + f()
---
import os.path as op, json
def f(): return len(op.join('a', 'b')) + len(json.dumps({x}))
---
import collections
import collections.abc
def f(): return isinstance([], collections.abc.Sequence) + {x} + len(collections.Counter())
---
import xml.dom
import xml.sax
def f(): return len(xml.dom.__name__ + xml.sax.__name__) + {x}
---
def f():
    from math import floor
    return floor({x}) + {n}
---
import math as m
floor = m.floor
def f(): return floor({x} + 0.5)
---
from math import floor as fl, ceil
fl, ceil = ceil, fl
def f(): return fl(0.5) + {x}
---
t = f'{{{x}}}{{{y}!r:>4}}'
def f(): return len(t)
---
{x} = {y} = {n}
---
({x}), *_rest, [{y}, {z}] = {n}, 1, 2, [3, 4]
---
{x} = {y} if {z} else {n}
---
try:
    {x} = int('no')
except ValueError as problem:
    {x} = {n} + len(str(problem))
finally:
    {y} = {n}
---
try:
    raise ExceptionGroup('g', [ValueError()])
except* ValueError as group:
    {x} = len(group.exceptions) + {n}
---
match [{x}, {y}]:
    case [p, *q] if p > {n}:
        {z} = p
    case _:
        {z} = {n}
---
while True:
    {x} += 1
    if {x} > {n}: break
---
i = {n}
for i in range(3): pass
{x} = i + {y}
---
def f(): return (lambda *a, k={x}, **q: a[0] + k + len(q))({y}, z=1)
---
def f(a=a, b=b): return a * b + {x}
---
def f():
    a = {n}
    def inner():
        nonlocal a
        a += {x} if False else 1
        return a
    return inner() + b
---
class K:
    a = {x}
    b = [a for _ in range(2)]
    def get(self): return sum(self.b) + self.a
---
class Base:
    def __init_subclass__(cls, n=0): cls.n = n + {x}
class K(Base, n={y}):
    def get(self): return self.n
---
class K:
    def __getattr__(self, name): return {x}
    def get(self): return self.anything + {y}
---
class K:
    __slots__ = ('n',)
    def __init__(self): self.n = {x}
    def get(self): return self.n + {y}
K.extra = {n}
---
x1 = {x}; y1 = x1 + 1; {z} = y1
---
assert isinstance({x}, int)
{y} = {x}
---
K.get.__doc__ = 'x'
---
f.__name__, {x} = 'other', {n}
""".strip("\n").split("\n---\n")
