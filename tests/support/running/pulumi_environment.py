"""Variables with which the `pulumi` command asks nobody and keeps all that it has in a folder."""

STREAMED = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "1"}
"""A preview as JSON is written as events, while it runs."""


def alone_in(folder):
    """The variables; the backend of the state is made."""
    (folder / "backend").mkdir()
    return {
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
