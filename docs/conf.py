"""How Sphinx builds these pages: ``make docs``; nothing is fetched from the network."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "cyberid_client"
author = "The cyberid_client maintainers"
project_copyright = author
release = version = version_of("cyberid_client")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"cyberid_client {release}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]

# Links to headings of other pages: three levels of headings have a name.
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
# An attribute is described once, in the docstring of its class.
napoleon_use_ivar = True

# Every reference must lead somewhere (-n). Left out are names of others, whose pages are not on this
# machine, and the few internal types of ours that a public signature mentions.
nitpick_ignore_regex = [
    ("py:.*", r"(?!cyberid_client).*"),
    ("py:class", r"cyberid_client\.wire\..*"),
    ("py:class", r"cyberid_client\.trust\.(algorithms\.KeyMembers|certificates\.CertificateFacts)"),
    ("py:class", r"cyberid_client\.testing\.(keyring\.Keyring|drafts\.Sizes|client_keys\.ClientPublicKey)"),
    ("py:class", r"cyberid_client\.testing\.(drafts\.Reply|service\.Call)"),
    (
        "py:class",
        r"cyberid_client\.testing\.wallet\.(certificates\.Asker|asked\.ResponseKey|holdings\.Disclosure)",
    ),
    ("py:class", r"cyberid_client\.testing\.store_async\.S"),
    ("py:class", r"cyberid_client\.testing\.(clients\.ClientDesk|arming\.Arming|logout\.Courier)"),
    ("py:class", r"cyberid_client\.status_keeper\.Status(Source|Keeper)"),
    ("py:class", r"cyberid_client\.status_state\.StatusSnapshot"),
    ("py:class", r"cyberid_client\.(effects\.\w+|handshake\.flow\.\w+Wanted)"),
    ("py:class", r"cyberid_client\.inspection\.shown\.Shown"),
    ("py:class", r"cyberid_client\.handshake\.metadata\.IssuerMetadata"),
]
