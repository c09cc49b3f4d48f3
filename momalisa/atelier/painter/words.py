"""Synonyms of colours, motifs, moods and manners, as a curator might type them."""

# Captions use these less often than the plain name.
COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "black": ("jet black", "ink black"),
    "white": ("pure white", "snow white"),
    "grey": ("gray", "silver"),
    "cream": ("ivory", "off-white", "beige"),
    "red": ("scarlet", "crimson", "vermilion", "bright red"),
    "maroon": ("burgundy", "dark red", "wine red"),
    "orange": ("tangerine", "bright orange"),
    "peach": ("apricot", "salmon"),
    "yellow": ("golden", "lemon", "bright yellow"),
    "ochre": ("mustard", "sand", "tan"),
    "brown": ("umber", "chocolate"),
    "olive": ("olive green", "moss green"),
    "green": ("emerald", "grass green"),
    "dark green": ("forest green", "deep green"),
    "turquoise": ("aqua", "cyan"),
    "teal": ("petrol", "blue-green"),
    "sky blue": ("light blue", "pale blue"),
    "blue": ("cobalt", "ultramarine", "royal blue"),
    "navy": ("dark blue", "midnight blue", "navy blue"),
    "purple": ("violet", "plum"),
    "lavender": ("lilac", "pale purple"),
    "magenta": ("fuchsia", "hot pink"),
    "pink": ("rose", "light pink"),
}

# Synonyms of motifs; irregular plurals are in PLURALS.
MOTIF_WORDS: dict[str, tuple[str, ...]] = {
    "circle": ("disc", "dot"),
    "cross": ("plus sign",),
    "ring": ("circle outline",),
    "rectangle": ("block", "bar"),
    "semicircle": ("half circle",),
    "diamond": ("rhombus",),
    "moon": ("crescent moon",),
    "flower": ("bloom",),
    "house": ("cottage", "hut", "home"),
    "boat": ("sailing boat", "ship", "sailboat"),
    "mouth": ("pair of lips",),
    "cat": ("kitten",),
    "dog": ("puppy", "hound"),
    "bird": ("songbird",),
    "horse": ("pony",),
    "rabbit": ("hare", "bunny"),
    "face": ("portrait", "head"),
    "mask": ("face in two colours", "carved mask"),
    "target": ("bullseye",),
    "chequerboard": ("checkerboard", "checkered pattern"),
    "vertical line": ("line", "stripe", "zip"),
    "brush stroke": ("bold stroke", "broad stroke"),
    "leaf": ("paper leaf",),
    "woman": ("lady", "girl"),
    "man": ("gentleman",),
    "dancer": ("dancing figure", "figure"),
    "pebble form": ("soft shape", "organic shape"),
    "burst": ("explosion", "pow"),
    "cactus": ("saguaro",),
    "band": ("diagonal", "beam"),
    "spiral": ("whirl", "vortex"),
    "gradient": ("soft gradient", "glow"),
    "bottle": ("flask",),
    "sea": ("ocean",),
    "starry sky": ("starry night", "swirling sky"),
    "skyline": ("city", "row of towers"),
    "wavy lines": ("waves", "wavy stripes"),
    "vertical stripes": ("stripes", "upright stripes"),
    "horizontal stripes": ("stripes", "level bands"),
    "diagonal stripes": ("stripes", "slanting stripes"),
    "chevrons": ("zigzags", "zigzag bands"),
    "dots": ("spots", "polka dots"),
    "drips": ("splashes of paint", "dripped paint"),
    "rays": ("sunburst rays", "radiating wedges"),
    "diamonds": ("rhombuses", "harlequin diamonds"),
    "colour fields": ("soft rectangles", "soft fields of colour"),
    "nested squares": ("squares within squares", "concentric squares"),
    "quarter circles": ("geometric tiles", "curved tiles"),
    "floating shapes": ("tilted bars", "floating rectangles"),
    "circles and lines": ("crossing lines and a circle",),
    "facets": ("splinters", "broken planes"),
}

PLURALS = {
    "pony": "ponies",
    "pair of lips": "mouths",
    "puppy": "puppies",
    "lady": "ladies",
    "bunny": "bunnies",
    "fish": "fish",
    "leaf": "leaves",
    "butterfly": "butterflies",
    "paper leaf": "paper leaves",
}

# Plural motifs, which take no article and no number.
MANY = frozenset(
    {
        "wavy lines", "vertical stripes", "horizontal stripes", "diagonal stripes", "chevrons",
        "dots", "drips", "rays", "diamonds", "colour fields", "nested squares", "facets", "circles",
        "quarter circles", "floating shapes", "circles and lines", "mountains", "hills",
    }
)  # fmt: skip

# Motifs that fill the picture with two or more colours and leave no ground.
PATTERNS = frozenset({"chequerboard", "spiral", "gradient", "grid"})

# Plural motifs that leave the ground visible.
SCATTERED = frozenset({"dots", "drips", "circles", "floating shapes", "circles and lines"})

MOOD_WORDS: dict[str, tuple[str, ...]] = {
    "sad": ("sad", "melancholy", "sorrowful", "gloomy"),
    "joyful": ("joyful", "happy", "cheerful"),
    "violent": ("violent", "angry", "furious"),
    "calm": ("calm", "peaceful", "quiet", "serene"),
    "tender": ("tender", "gentle"),
    "warm": ("warm",),
    "cold": ("cold", "cool"),
}

NUMBERS = ("no", "one", "two", "three", "four", "five")

# For each manner: names that follow "in the style of", and labels of such a picture.
STYLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "de-stijl-grid": (
        ("de stijl", "mondrian", "neoplasticism"),
        ("de stijl composition", "mondrian grid"),
    ),
    "suprematist-shapes": (("suprematism", "malevich"), ("suprematist painting", "malevich")),
    "suprematist-composition": (
        ("suprematism", "malevich", "el lissitzky"),
        ("suprematist composition",),
    ),
    "hard-edge": (
        ("hard edge painting", "ellsworth kelly"),
        ("hard-edge painting", "minimalist painting"),
    ),
    "nested-squares": (("josef albers",), ("homage to the square", "albers squares")),
    "concentric-circles": (("kenneth noland", "colour field painting"), ("target painting",)),
    "bauhaus-circles": (("the bauhaus", "moholy-nagy"), ("bauhaus composition", "bauhaus poster")),
    "quarter-circle-tiles": (
        ("concrete art", "mid-century design"),
        ("geometric tiles", "concrete art"),
    ),
    "harlequin": (
        ("concrete art", "geometric abstraction"),
        ("harlequin pattern", "geometric pattern"),
    ),
    "op-art-lines": (("op art", "bridget riley"), ("op art", "optical illusion")),
    "op-art-bulge": (("op art", "vasarely"), ("op art", "optical illusion")),
    "op-art-spiral": (("op art", "kinetic art"), ("op art", "hypnotic spiral")),
    "rays": (("op art", "a rising sun poster"), ("sunburst", "op art")),
    "stripes": (("minimalism", "gene davis"), ("stripe painting", "minimalist painting")),
    "chevrons": (("frank stella", "kenneth noland"), ("chevron painting", "shaped abstraction")),
    "dot-grid": (("damien hirst", "minimalism"), ("spot painting",)),
    "scattered-dots": (("yayoi kusama", "larry poons"), ("polka dot painting", "kusama dots")),
    "gradient": (("light and space", "james turrell"), ("colour gradient", "light art")),
    "zip": (("barnett newman", "colour field painting"), ("zip painting", "newman zip")),
    "colour-field": (("rothko", "colour field painting"), ("colour field painting", "rothko")),
    "drip": (("jackson pollock", "action painting"), ("drip painting", "pollock")),
    "broad-strokes": (
        ("franz kline", "abstract expressionism"),
        ("gestural painting", "action painting"),
    ),
    "cut-outs": (("matisse", "paper cut-outs"), ("matisse cut-out", "paper cut-out")),
    "miro-signs": (("miro", "surrealism"), ("surrealist painting", "miro signs")),
    "swirling-night": (
        ("van gogh", "post-impressionism"),
        ("van gogh night", "swirling night sky"),
    ),
    "cubist-facets": (("cubism", "picasso", "juan gris"), ("cubist painting", "cubist still life")),
    "biomorphs": (("jean arp", "biomorphic abstraction"), ("biomorphic abstraction", "arp forms")),
    "abstract-music": (
        ("kandinsky", "the blue rider"),
        ("kandinsky composition", "abstract composition"),
    ),
    "falling-leaves": (
        ("modernist print", "scandinavian design"),
        ("leaf print", "botanical print"),
    ),
    "landscape": (("fauvism", "naive art"), ("landscape painting", "modern landscape")),
    "seascape": (("fauvism", "modern marine painting"), ("seascape", "marine painting")),
    "desert": (("georgia o'keeffe", "fauvism"), ("desert landscape", "desert painting")),
    "forest": (("naive art", "gustav klimt"), ("forest painting", "woodland scene")),
    "skyline": (("precisionism", "modern city painting"), ("cityscape", "urban skyline")),
    "pointillist-landscape": (
        ("pointillism", "seurat", "signac"),
        ("pointillist painting", "painting in dots"),
    ),
    "naive-sign": (("naive art", "folk art"), ("naive painting", "simple picture")),
    "animal": (("naive art", "folk art"), ("animal painting", "naive painting")),
    "pop-dots": (("pop art", "roy lichtenstein"), ("pop art", "comic strip picture")),
    "pop-grid": (("pop art", "andy warhol"), ("pop art print", "warhol print")),
    "still-life": (("morandi", "matisse", "cezanne"), ("still life", "still life painting")),
    "mask": (("modigliani", "expressionism"), ("expressionist face", "mask painting")),
    "portrait": (("modigliani", "alex katz", "expressionism"), ("portrait", "portrait painting")),
    "dancers": (("matisse", "paper cut-outs"), ("matisse cut-out", "dance")),
}
